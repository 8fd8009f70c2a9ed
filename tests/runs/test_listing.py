"""Listing and removing runs."""

import json
import os

import pytest
from click.testing import CliRunner

from medxray.cli.runs import runs
from medxray.runs.directory import RunDir, point_latest
from medxray.runs.listing import listed_runs
from medxray.system import storage


@pytest.fixture
def folder(tmp_path):
    """A folder with a completed, a failed, a killed and a damaged run, and a folder that is none."""
    for number, (name, state) in enumerate({"good": "completed", "bad": "failed", "killed": "running"}.items()):
        run = RunDir(tmp_path / name)
        run.path.mkdir()
        record = {
            "kind": "medxray-run",
            "type": "classifier",
            "state": state,
            "created": f"2026-01-0{number + 1}T00:00",
        }
        record["config"] = {"arch": "vgg16", "mode": "finetune", "data": "data/chest_xray"}
        storage.write_json(run.record_file, record)
    auroc = {"value": 0.9, "ci95": [0.8, 0.95]}
    test = {"auroc": auroc, "balanced_accuracy": {"value": 0.8, "ci95": None}}
    storage.write_json(tmp_path / "good" / "metrics.json", {"format": 2, "splits": {"test": test}})
    point_latest(RunDir(tmp_path / "killed"))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    (tmp_path / "notes").mkdir()
    return tmp_path


def call(*words, **options):
    return CliRunner().invoke(runs, list(map(str, words)), **options)


def test_every_run_is_listed_once_with_its_state_and_figure(folder):
    result = call("--runs-dir", folder)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:5]] == [
        ["broken", "damaged"],
        ["good", "completed"],
        ["bad", "failed"],
        ["killed", "interrupted"],
    ]
    assert "0.900 [0.800, 0.950]" in lines[2] and "vgg16 finetune" in lines[2] and lines[-1] == "4 runs"
    rows = json.loads(call("--runs-dir", folder, "--json").stdout)
    assert "0.800" in lines[2] and rows[1]["balanced_accuracy"]["value"] == 0.8
    assert rows[1]["auroc"]["value"] == 0.9 and rows[1]["bytes"] > 0 and rows[0]["auroc"] is None


def test_runs_of_a_study_are_listed_behind_its_name(folder):
    (folder / "study").mkdir()
    storage.write_json(folder / "study" / "study.json", {"kind": "medxray-study", "runs": 2, "config": {}})
    (folder / "good").rename(folder / "study" / "1")
    names = [row["name"] for row in json.loads(call("--runs-dir", folder, "--json").stdout)]
    assert names == ["broken", "study/1", "bad", "killed"]


def test_a_study_is_removed_with_its_runs_and_listed_while_it_holds_none(folder):
    study = folder / "study"
    study.mkdir()
    storage.write_json(study / "study.json", {"kind": "medxray-study", "runs": 2, "config": {"arch": "vgg16"}})
    (folder / "good").rename(study / "1")
    with RunDir(study / "1").in_use():
        assert "being trained by another process" in str(call("rm", study, "--yes").exception)
    call("rm", study / "1", "--yes")
    (row,) = (row for row in json.loads(call("--runs-dir", folder, "--json").stdout) if row["name"] == "study")
    assert (row["state"], row["what"], row["auroc"]) == ("empty", "vgg16, 0 of 2 runs", None)
    assert "study" in [run.name for run in listed_runs(folder) if not run.is_run]
    (folder / "bad").rename(study / "2")
    result = call("rm", study, input="y\n")
    assert "(study, 1 of 2 runs)" in result.stdout and "Removed 1 run." in result.stdout and not study.exists()


def test_a_run_in_training_is_running_and_is_not_removed(folder):
    with RunDir(folder / "killed").in_use():
        assert listed_runs(folder)[-1].state == "running"
        result = call("rm", folder / "killed", folder / "good", "--yes")
        assert result.exit_code == 1 and "being trained by another process" in str(result.exception)
    assert (folder / "killed").is_dir() and (folder / "good").is_dir()


def test_prune_asks_and_removes_what_failed_or_was_interrupted(folder):
    assert call("prune", "--runs-dir", folder, input="n\n").exit_code == 1
    assert (folder / "bad").is_dir()
    result = call("prune", "--runs-dir", folder, input="y\n")
    assert result.exit_code == 0 and "Removed 2 runs." in result.stdout
    assert not (folder / "bad").exists() and not (folder / "killed").exists() and (folder / "good").is_dir()
    assert not os.path.lexists(folder / "latest")
    assert call("prune", "--runs-dir", folder).stdout.startswith("No failed or interrupted run")


def test_what_is_no_run_is_not_removed(folder):
    result = call("rm", folder / "notes", "--yes")
    assert result.exit_code == 1 and "is not a medxray run" in str(result.exception) and (folder / "notes").is_dir()
    assert "There is no folder" in str(call("--runs-dir", folder / "none").exception)
    assert call("--runs-dir", folder, "prune").exit_code == 2
