"""A run whose images are no longer where they were in training."""

import json
import shutil

import pandas as pd
import pytest

from medxray import load_run
from medxray.runs.images import own_manifest

pytestmark = pytest.mark.usefixtures("without_plots")


@pytest.fixture
def moved(trained, tmp_path):
    """A copy of the trained run that says its images were in a folder that does not exist: (run, folder)."""
    shutil.copytree(trained.path, tmp_path / "run", ignore=shutil.ignore_patterns("embeddings*"))
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    record["data"]["root"] = record["data"]["source"] = str(tmp_path / "gone")
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    return tmp_path / "run", tmp_path / "gone"


def test_data_that_moved_are_known_again_and_keep_the_split_of_the_run(medxray, trained, moved, phantoms):
    words = ("evaluate", moved[0], "--data", phantoms, "--json")
    own = json.loads((trained.path / "metrics.json").read_text())["splits"]
    status, out, err = medxray(*words)
    assert status == 0 and json.loads(out)["confusion_matrix"] == own["test"]["confusion_matrix"]
    assert f"{phantoms} is the data of this run: its own test split is evaluated" in err
    assert (moved[0] / "evaluations" / "test" / "metrics.json").is_file()
    (moved[0] / "content.csv").unlink()
    status, _, err = medxray(*words)
    assert status == 1 and "content.csv cannot be read" in err.splitlines()[-1]


def test_data_that_moved_and_changed_are_not_evaluated_on_what_was_learned(medxray, trained, moved, phantoms, tmp_path):
    shutil.copytree(phantoms, tmp_path / "copy")
    test = pd.read_csv(trained.path / "split.csv").query("split == 'test'")["path"]
    changed = tmp_path / "copy" / "chest_xray" / test.iloc[0]
    changed.write_bytes(changed.read_bytes() + b"\0")
    words = ("evaluate", moved[0], "--data", tmp_path / "copy", "--split", "train", "--json")
    status, out, err = medxray(*words)
    assert status == 0 and json.loads(out)["n"] == len(test) and "are left out" in err


def test_a_table_that_moved_is_read_with_the_options_of_the_training(medxray, trained, moved, phantoms, tmp_path):
    shutil.copytree(phantoms, tmp_path / "copy")
    table = pd.read_csv(trained.path / "split.csv")
    csv = tmp_path / "copy" / "chest_xray" / "list.csv"
    what = table["label"].map({"NORMAL": "fine", "PNEUMONIA": "ill"})
    table.assign(file=table["path"], what=what)[["file", "what"]].to_csv(csv, index=False)
    status, _, err = medxray("evaluate", moved[0], "--data", csv)
    assert status == 2 and "list.csv needs --path-col and --label-col" in err.splitlines()[-1]
    record = json.loads((moved[0] / "run.json").read_text())
    record["config"] |= {"path_col": "file", "label_col": "what", "label_map": "fine=NORMAL,ill=PNEUMONIA"}
    (moved[0] / "run.json").write_text(json.dumps(record))
    for given in ([], ["--label-col", "what"], ["--label-map", "fine=NORMAL,ill=PNEUMONIA"]):
        status, _, err = medxray("evaluate", moved[0], "--data", csv, *given)
        assert status == 0 and "list.csv is the data of this run: its own test split" in err, given
    assert "list.csv is read with --path-col, --label-col of the run's training" in err
    status, _, err = medxray("evaluate", moved[0], "--data", csv, "--label-map", "fine=NORMAL")
    assert status == 2 and "needs --path-col and --label-col" in err.splitlines()[-1]


def test_absolute_paths_that_are_gone_are_put_back_there(medxray, moved, tmp_path):
    split = pd.read_csv(moved[0] / "split.csv", keep_default_na=False)
    split.assign(path=[str(tmp_path / "far" / path) for path in split["path"]]).to_csv(
        moved[0] / "split.csv", index=False
    )
    status, _, err = medxray("evaluate", moved[0])
    line = err.splitlines()[-1]
    assert status == 1 and f"There is no file '{tmp_path / 'far'}" in line and "below" not in line
    assert line.endswith("Put it, or a symbolic link to it, back at that path.")


def test_commands_say_where_the_images_were_and_what_helps(medxray, moved, phantoms):
    run, folder = moved
    link = f"put a symbolic link to the new place at {folder}"
    cases = {
        ("gate", run): f"{link}.",
        ("evaluate", run): f"{link}, or name the new place with --data.",
        ("embed", "extract", run): f"{link}, or name the new place with --data.",
        (
            "predict",
            next(phantoms.rglob("*.jpeg")),
            "--model",
            run,
            "--neighbors",
            1,
        ): f"{link}, or run: medxray embed extract {run} --data NEW_PLACE.",
    }
    for words, remedy in cases.items():
        status, _, err = medxray(*words)
        line = err.splitlines()[-1]
        assert status == 1 and f"below {folder} (split.csv row" in line and line.endswith(remedy), words


def test_a_link_to_the_new_place_brings_moved_images_back(trained, moved):
    moved[1].symlink_to(trained.record["data"]["root"])
    assert all(file.is_file() for file in own_manifest(load_run(moved[0])).files())


def test_data_whose_name_is_longer_than_a_file_may_have_are_told_in_short(medxray, trained):
    status, _, err = medxray("evaluate", trained.path, "--data", "x" * 5000)
    assert status == 1 and "(5000 characters) is longer than the name of a file may be" in err and len(err) < 400
