import importlib.metadata
import json
import os
from pathlib import Path

import pytest

from medxray.errors import ConfigError, RunError
from medxray.runs.directory import create_run, finish_replacing, open_run, point_latest, undo_replacing
from medxray.system import storage
from medxray.training.config import TrainConfig


def make(folder, name=None, overwrite=False):
    config = TrainConfig(mode="extract", runs_dir=folder, name=name, overwrite=overwrite)
    return create_run(config, command=["medxray", "train"])


def test_default_names_are_numbered(tmp_path):
    assert [make(tmp_path).name for _ in range(3)] == ["vgg16-extract", "vgg16-extract-2", "vgg16-extract-3"]


def test_latest_points_at_the_run_that_was_last_given_a_model(tmp_path):
    first, second = make(tmp_path, "first"), make(tmp_path, "second")
    for run in (second, first):
        point_latest(run)
        assert open_run(tmp_path / "latest").name == run.name


def test_given_name_is_used_as_it_is_and_not_overwritten(tmp_path):
    run = make(tmp_path, "mine")
    (run.path / "old").write_text("x")
    with pytest.raises(RunError, match="exists already. Choose another --name, or give --overwrite"):
        make(tmp_path, "mine")
    assert (run.path / "old").exists()


def test_replaced_run_comes_back_when_the_new_one_fails_without_a_model(tmp_path):
    (make(tmp_path, "mine").path / "old").write_text("x")
    new = make(tmp_path, "mine", overwrite=True)
    assert not (new.path / "old").exists()
    undo_replacing(new)
    assert (tmp_path / "mine" / "old").read_text() == "x" and len(list(tmp_path.iterdir())) == 1


def test_replaced_run_is_removed_once_the_new_one_has_a_model(tmp_path):
    (make(tmp_path, "mine").path / "old").write_text("x")
    for _ in range(2):  # the second time, an unfinished replacement is in the way
        new = make(tmp_path, "mine", overwrite=True)
    new.model_file.write_text("model")
    undo_replacing(new)
    assert not (new.path / "old").exists()
    finish_replacing(new)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_failed_run_without_a_model_does_not_block_its_name(tmp_path):
    make(tmp_path, "mine").update_record(state="failed")
    assert make(tmp_path, "mine").read_record()["state"] == "running"
    (tmp_path / "empty").mkdir()
    assert make(tmp_path, "empty").name == "empty"


def test_default_name_of_a_run_that_failed_before_its_first_epoch_is_used_again(tmp_path):
    first = make(tmp_path)
    first.update_record(state="failed")
    assert make(tmp_path).name == first.name
    second = make(tmp_path)
    second.update_record(state="failed")
    second.state_file.parent.mkdir()
    second.state_file.write_text("an epoch that can be resumed from")
    assert make(tmp_path).name == "vgg16-extract-3"
    with pytest.raises(RunError, match="exists already"):
        make(tmp_path, second.name)


def test_a_damaged_record_beside_does_not_stop_a_new_run_and_is_kept(tmp_path):
    first = make(tmp_path)
    first.record_file.write_text("{")
    assert make(tmp_path).name == "vgg16-extract-2" and first.record_file.read_text() == "{"


def test_latest_moves_on_where_links_to_folders_are_not_replaced(tmp_path, monkeypatch):
    first, second = make(tmp_path), make(tmp_path)
    point_latest(first)
    replaced = os.replace

    def as_on_windows(source, target):
        if Path(target).is_dir():
            raise PermissionError(5, "Access is denied", str(target))
        replaced(source, target)

    monkeypatch.setattr(os, "replace", as_on_windows)
    point_latest(second)
    assert open_run(tmp_path / "latest").name == second.name
    point_latest(first)
    assert open_run(tmp_path / "latest").name == first.name
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".latest")] == []


def test_one_process_at_a_time_trains_a_run(tmp_path):
    run = make(tmp_path)
    with run.in_use(), pytest.raises(RunError, match="is being trained by another process"), run.in_use():
        pass
    with run.in_use():
        assert [entry.name for entry in run.path.iterdir()] == ["run.json"]  # else Windows cannot remove the run


@pytest.mark.parametrize(
    ("record", "what"), [("study.json", "a study of several runs"), ("tuning.json", "a search for options")]
)
def test_overwrite_never_removes_a_study_or_a_search(tmp_path, record, what):
    storage.write_json(tmp_path / "mine" / record, {})
    with pytest.raises(RunError, match=f"exists already and is {what}.*medxray runs rm"):
        make(tmp_path, "mine", overwrite=True)


def test_overwrite_never_removes_a_folder_that_is_no_run(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_text("x")
    with pytest.raises(RunError, match="is not a medxray run"):
        make(tmp_path, "photos", overwrite=True)
    assert (tmp_path / "photos" / "a.png").exists()


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "latest", "a b"])
def test_names_that_are_no_plain_folder_names_are_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="plain folder name"):
        make(tmp_path, name)


def test_missing_and_foreign_runs_are_told_apart(tmp_path):
    with pytest.raises(RunError, match="There is no run at .*Train one with `medxray train`"):
        open_run(tmp_path / "none")
    (tmp_path / "run.json").write_text(json.dumps({"kind": "other"}))
    with pytest.raises(RunError, match="written by another program"):
        open_run(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"kind": "medxray-run", "state": "running"}))
    with pytest.raises(RunError, match="is damaged: it needs state, config with proper values"):
        open_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        open_run(tmp_path)


def test_a_new_run_is_not_complete_and_records_its_environment(tmp_path):
    record = make(tmp_path).read_record()
    assert record["state"] == "running"
    assert record["environment"]["packages"]["tensorflow"] == importlib.metadata.version("tensorflow")
    assert record["config"]["name"] == "vgg16-extract"
