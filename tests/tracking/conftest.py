"""Runs that are tracked: small, and over in seconds."""

import pytest

from medxray.system import storage
from tests.fixtures.small_configs import small_config
from tests.fixtures.stored_runs import write_stored_run


@pytest.fixture
def stored_reports(tmp_path):
    """Dict split -> JSON object of a stored run."""
    return storage.read_json(write_stored_run(tmp_path, n=24, images=False).metrics_file)["splits"]


@pytest.fixture(scope="module")
def tracked_config(phantoms, tmp_path_factory):
    """Function (**options) -> TrainConfig of two stages on phantoms."""
    return lambda **options: small_config(phantoms, tmp_path_factory.mktemp("tracked"), epochs=2, **options)
