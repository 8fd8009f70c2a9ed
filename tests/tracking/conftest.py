"""Runs that are tracked: small, and over in seconds."""

import pytest

from medxray import TrainConfig
from medxray.system import storage
from tests.fixtures.stored_runs import write_stored_run


@pytest.fixture
def stored_reports(tmp_path):
    """Dict split -> JSON object of a stored run."""
    return storage.read_json(write_stored_run(tmp_path, n=24, images=False).metrics_file)["splits"]


@pytest.fixture(scope="module")
def tracked_config(phantoms, tmp_path_factory):
    """Function (**options) -> TrainConfig of two stages on phantoms."""

    def config(**options):
        folder = tmp_path_factory.mktemp("tracked")
        return TrainConfig(
            arch="shallow-cnn",
            mode="finetune",
            weights="none",
            data=str(phantoms),
            image_size=32,
            epochs=2,
            head_epochs=1,
            head_units=4,
            runs_dir=str(folder / "runs"),
            saved_models_dir=str(folder / "saved_models"),
            cache_dir=str(folder / "cache"),
            name="it",
            **options,
        )

    return config
