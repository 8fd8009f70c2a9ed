"""Training drops an image only for what is wrong with the image."""

import errno

import pytest

from medxray import TrainConfig, train
from medxray.data.images import load
from medxray.errors import ReadError


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EMFILE, "x"), KeyError("x")], ids=repr)
def test_a_failure_while_one_image_is_read_stops_training_with_its_path(phantoms, tmp_path, monkeypatch, error):
    files = sorted((phantoms / "chest_xray" / "train").rglob("*.jpeg"))
    loaded = load._loaded

    def fail_once(file, *rest):
        if str(file.name) == str(files[7]):
            raise error
        return loaded(file, *rest)

    monkeypatch.setattr(load, "_loaded", fail_once)
    config = TrainConfig(
        arch="shallow-cnn", weights="none", data=str(phantoms), image_size=32, epochs=1, runs_dir=str(tmp_path / "runs")
    )
    with pytest.raises(ReadError, match=f"^{files[7]}: "):
        train(config)
