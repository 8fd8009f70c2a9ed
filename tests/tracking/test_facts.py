"""What is told of a run, and what is asked of the packages."""

import math

import pytest

from medxray import TrainConfig
from medxray.errors import ConfigError
from medxray.tracking import installed
from medxray.tracking.facts import epoch_figures, final_figures, options_told
from medxray.training.modes import Stage


def test_options_without_a_value_and_places_are_left_out():
    told = options_told(TrainConfig(arch="shallow-cnn", mode="scratch", runs_dir="elsewhere").resolved())
    assert told["arch"] == "shallow-cnn" and told["epochs"] == 10 and told["deterministic"] is False
    assert "runs_dir" not in told and "task" not in told and None not in told.values()


def test_figures_of_an_epoch_are_named_by_their_stage_and_texts_are_left_out():
    stage = Stage("head", "pool", 3, 1e-3)
    found = epoch_figures(stage, {"loss": 0.5, "val_auroc": math.nan, "view": "on-line", "seconds": 2})
    assert found.keys() == {"head/loss", "head/val_auroc", "head/seconds"} and found["head/loss"] == 0.5


def test_final_figures_are_named_by_their_split_and_those_not_defined_are_left_out(stored_reports):
    found = final_figures(stored_reports)
    assert found["test/auroc"] == stored_reports["test"]["auroc"]["value"]
    stored_reports["test"]["auroc"] = {"value": None, "ci95": None}
    assert "test/auroc" not in final_figures(stored_reports)


@pytest.mark.parametrize("name", installed.TRACKING)
def test_a_package_that_is_missing_is_told_before_anything_begins(name, monkeypatch, medxray, tmp_path):
    monkeypatch.setattr(installed.importlib.util, "find_spec", lambda package: None)
    with pytest.raises(ConfigError, match=rf"--{name} needs {name}, .*pip install 'medxray\[{name}\]'"):
        TrainConfig(**{name: True}).resolved()
    status, _, err = medxray("train", f"--{name}", "--runs-dir", tmp_path / "runs")
    assert (status, err.count("\n")) == (2, 1) and not (tmp_path / "runs").exists()


@pytest.mark.parametrize("command", ["tune", "lr-find"])
def test_commands_that_keep_no_run_track_none(command, medxray):
    status, _, err = medxray(command, "--tensorboard")
    assert status == 2 and "--tensorboard" in err
