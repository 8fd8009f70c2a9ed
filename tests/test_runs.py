import json

import pytest

from medxray.errors import RunError
from medxray.runs import create_run, open_run

CONFIG = {"arch": "vgg16", "mode": "extract"}


def make(folder, name=None, overwrite=False):
    return create_run(folder, name, overwrite=overwrite, config=CONFIG, command=["medxray", "train"])


def test_default_names_are_numbered_and_latest_points_at_the_newest(tmp_path):
    names = [make(tmp_path).name for _ in range(3)]
    assert names == ["vgg16-extract", "vgg16-extract-2", "vgg16-extract-3"]
    assert open_run(tmp_path / "latest").name == "vgg16-extract-3"


def test_given_name_is_used_as_it_is_and_not_overwritten(tmp_path):
    run = make(tmp_path, "mine")
    (run.path / "old").write_text("x")
    with pytest.raises(RunError, match="exists already. Choose another --name, or give --overwrite"):
        make(tmp_path, "mine")
    assert (run.path / "old").exists()
    assert not (make(tmp_path, "mine", overwrite=True).path / "old").exists()


def test_overwrite_never_removes_a_folder_that_is_no_run(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_text("x")
    with pytest.raises(RunError, match="is not a medxray run"):
        make(tmp_path, "photos", overwrite=True)
    assert (tmp_path / "photos" / "a.png").exists()


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "latest", "a b"])
def test_names_that_are_no_plain_folder_names_are_refused(tmp_path, name):
    with pytest.raises(RunError, match="plain folder name"):
        make(tmp_path, name)


def test_missing_and_foreign_runs_are_told_apart(tmp_path):
    with pytest.raises(RunError, match="There is no run at .*Train one with `medxray train`"):
        open_run(tmp_path / "none")
    (tmp_path / "run.json").write_text(json.dumps({"kind": "other"}))
    with pytest.raises(RunError, match="written by another program"):
        open_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        open_run(tmp_path)


def test_a_new_run_is_not_complete_and_records_its_environment(tmp_path):
    record = make(tmp_path).read_record()
    assert record["state"] == "running"
    assert record["environment"]["packages"]["tensorflow"].startswith("2.21")
    assert record["config"]["name"] == "vgg16-extract"
