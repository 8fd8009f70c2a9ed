"""What is checked before a run is made and an image is read."""

import shutil

import pytest

from medxray import TrainConfig, train
from medxray.errors import ConfigError, StorageError, WeightsError
from medxray.training.execution import start_run


@pytest.mark.parametrize("option", ["cache_dir", "saved_models_dir"])
def test_a_place_that_is_no_folder_stops_before_a_run_is_made(tmp_path, option):
    (tmp_path / "file").write_text("in the way")
    config = TrainConfig(data=str(tmp_path), runs_dir=str(tmp_path / "runs"), **{option: str(tmp_path / "file" / "x")})
    with pytest.raises(StorageError, match="Could not write .*file.x: Not a directory"):
        start_run(config, None)
    assert not (tmp_path / "runs").exists()


def test_the_place_of_an_export_does_not_count_where_none_is_wanted(tmp_path):
    (tmp_path / "file").write_text("in the way")
    config = TrainConfig(
        runs_dir=str(tmp_path / "file" / "runs"), saved_models_dir=str(tmp_path / "file"), export=False
    )
    with pytest.raises(StorageError, match="file.runs"):
        start_run(config, None)


@pytest.mark.parametrize(
    ("option", "value"), [("uncertain", "maybe"), ("label_map", "a"), ("threshold_rule", "best"), ("name", "a/b")]
)
def test_option_texts_are_checked_before_a_run_is_made(tmp_path, option, value):
    with pytest.raises(ConfigError, match=f"Received '{value}'"):
        start_run(TrainConfig(runs_dir=str(tmp_path / "runs"), **{option: value}), None)
    assert not (tmp_path / "runs").exists()


def test_missing_weights_are_known_before_an_image_is_decoded(phantoms, tmp_path, monkeypatch):
    def decoded(*parts, **named):
        raise AssertionError("an image was decoded")

    monkeypatch.setattr("medxray.training.run_data.decode_splits", decoded)
    places = {"runs_dir": str(tmp_path / "runs"), "cache_dir": str(tmp_path / "cache"), "export": False}
    config = TrainConfig(
        arch="resnet50", data=str(phantoms), image_size=32, weights=str(tmp_path / "none.h5"), **places
    )
    with pytest.raises(WeightsError, match=r"There is no file .*none\.h5"):
        train(config)


def test_a_disk_without_room_for_the_model_is_known_before_an_image_is_decoded(phantoms, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1)
    monkeypatch.setattr("medxray.system.storage.shutil.disk_usage", lambda folder: usage)
    monkeypatch.setattr("medxray.training.run_data.decode_splits", None)
    places = {"runs_dir": str(tmp_path / "runs"), "cache_dir": str(tmp_path / "cache"), "export": False}
    with pytest.raises(StorageError, match="needs about .* MB, but its disk has 0 MB left"):
        train(TrainConfig(arch="shallow-cnn", data=str(phantoms), image_size=32, **places))
