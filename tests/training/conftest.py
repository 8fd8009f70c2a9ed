"""A small training that is over in seconds."""

import pytest

from medxray import TrainConfig


@pytest.fixture
def config(phantoms, tmp_path):
    """Fine-tuning of a small network on phantoms, without export."""
    return TrainConfig(
        arch="shallow-cnn",
        mode="finetune",
        weights="none",
        data=str(phantoms),
        image_size=32,
        epochs=1,
        head_epochs=1,
        head_units=4,
        export=False,
        runs_dir=str(tmp_path / "runs"),
        cache_dir=str(tmp_path / "cache"),
        name="it",
    )
