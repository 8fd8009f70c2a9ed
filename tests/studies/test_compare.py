"""Runs compared by what they have stored."""

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from medxray.api import load_run
from medxray.cli.compare import compare
from medxray.errors import ConfigError, DataError, RunError
from medxray.evaluation.report import FORMAT
from medxray.metrics.prediction_table import write_predictions
from medxray.metrics.report import evaluate_split
from medxray.metrics.shifts import evaluate_shifts
from medxray.runs.directory import RunDir
from medxray.studies.compare import agreement, compared
from medxray.studies.comparison_files import write_comparison
from medxray.studies.comparison_text import (
    error_rows,
    figure_rows,
    group_rows,
    markdown,
    pair_rows,
    remarks,
    shifted_rows,
)
from medxray.studies.member import read_member
from medxray.system import storage


@pytest.fixture
def stored(evaluated, tmp_path):
    """Function that writes a run as training leaves it, without a model, and returns its folder."""

    def write(name, predictions=None, *, state="completed", shifts=None, **simulated):
        predictions_, decision, report = evaluated(**simulated)
        if predictions is not None:
            predictions_, report = predictions, evaluate_split(predictions, decision, n_boot=60)
        run = RunDir(tmp_path / name)
        run.path.mkdir(parents=True)
        record = {"kind": "medxray-run", "type": "classifier", "state": state, "config": {}}
        record |= {"data": {"classes": list(predictions_.classes), "positive": predictions_.positive}}
        record |= {"decision": decision.to_dict(), "seconds": {"data": 1.5, "main": 60}}
        storage.write_json(run.record_file, record)
        write_predictions(run.predictions_file, [predictions_], decision)
        report = storage.plain(report) | ({} if shifts is None else {"shifts_sample": shifts})
        storage.write_json(run.metrics_file, {"format": FORMAT, "splits": {"test": report}})
        return run.path

    return write


@pytest.fixture
def three(stored):
    """A good, a middling and a useless run on the same images."""
    return [
        stored(name, skill=skill, seed=seed) for seed, (name, skill) in enumerate({"a": 3, "b": 1.5, "c": 0}.items())
    ]


def test_every_pair_is_tested_and_p_values_are_adjusted_within_a_measure(three):
    comparison = compared(three)
    found = comparison.to_dict()
    assert [run["name"] for run in found["runs"]] == ["a", "b", "c"]
    tests = found["tests"]
    assert [(test["a"], test["b"], test["measure"]) for test in tests] == [
        (a, b, measure) for a, b in ("ab", "ac", "bc") for measure in ("auroc", "accuracy")
    ]
    for test in tests:
        low, high = test["difference"]["ci95"]
        assert low < test["difference"]["value"] < high and test["p"] <= test["p_holm"] <= 3 * test["p"] + 1e-12
    best = tests[2]
    areas = [run["auroc"]["value"] for run in found["runs"]]
    assert best["difference"]["value"] == pytest.approx(areas[0] - areas[2]) and best["p_holm"] < 0.001
    assert best["p_permutation_holm"] >= best["p_permutation"] and "p_permutation" not in tests[1]
    assert tests[1]["test"] == "sign-flip by patient"
    assert found["runs"][0]["recall"] == comparison.members[0].report["sensitivity"]
    assert found["runs"][0]["seconds"] == 61.5


def test_agreement_names_the_patients_that_one_run_alone_gets_right(stored, evaluated):
    predictions, _, _ = evaluated(n=8)
    truth = predictions.y_true
    answers = {"x": [1, 1, 1, 1, 0, 0, 1, 1], "y": [1, 1, 0, 0, 0, 1, 1, 0]}  # 1: right
    members = []
    for name, right in answers.items():
        said = np.where(np.array(right, bool), truth, 1 - truth)
        part = dataclasses.replace(predictions, logits=20.0 * np.eye(2)[said])
        members.append(read_member(stored(name, part), "test"))
    found = agreement(members)
    assert (found["all_right"], found["all_wrong"]) == (3, 1)
    assert found["only"]["x"] == {"right": 3, "wrong": 1, "right_patients": ["p1", "p3"]}
    assert found["only"]["y"] == {"right": 1, "wrong": 3, "right_patients": ["p2"]}
    rows = error_rows({"errors": found})
    assert rows[1] == ["x", "3", "2", "1"]


def test_the_order_of_the_images_does_not_matter(stored, evaluated):
    predictions, _, _ = evaluated()
    turned = stored("turned", predictions.where(np.arange(len(predictions))[::-1]))
    (area, accuracy) = compared([stored("same"), turned]).tests
    assert area["difference"]["value"] == 0 and area["p"] is None and area["p_holm"] is None
    assert accuracy["p"] == 1 and accuracy["difference"]["value"] == 0


def test_other_images_are_refused_unless_the_common_ones_are_asked_for(stored, evaluated):
    predictions, _, _ = evaluated()
    runs = [stored("all"), stored("part", predictions.where(np.arange(20, 120)))]
    with pytest.raises(DataError, match=r"same images. all has 120 .* part 100; 20 are of one alone.*--common"):
        compared(runs)
    found = compared(runs, common=True).to_dict()
    assert found["left_out"] == {"all": 20} and found["n"] == 100
    assert found["runs"][0]["auroc"]["value"] == found["runs"][1]["auroc"]["value"]
    assert "all: 20 images that not all runs have are left out; figures of shifted views too." in remarks(found)


def test_other_images_of_the_same_names_are_told_of(three, caplog):
    paths = read_member(three[0], "test").predictions.paths
    for path, digests in ((three[0], "ab"), (three[1], "ac"), (three[2], "ab")):
        table = pd.DataFrame({"path": paths[:2], "split": "test", "sha256": list(digests)})
        storage.write_csv(path / "content.csv", table)
    compared([three[0], three[2]])
    assert "content" not in caplog.text
    compared(three)
    assert f"a and b have 1 of {len(paths)} images by the same names with another content" in caplog.text


def test_what_cannot_be_compared_is_one_line(stored, tmp_path):
    one = stored("one")
    with pytest.raises(ConfigError, match="Two or more different runs"):
        compared([one, one])
    with pytest.raises(DataError, match="same classes. one has NORMAL, PNEUMONIA and three a, b, c"):
        compared([one, stored("three", classes=("a", "b", "c"))])
    with pytest.raises(RunError, match="stopped is interrupted: finish it with"):
        compared([one, stored("stopped", state="interrupted")])
    with pytest.raises(RunError, match="There is no run at"):
        compared([one, tmp_path / "nothing"])
    with pytest.raises(RunError, match="holds no figures of its val split"):
        compared([one, stored("two")], split="val")


def test_a_later_evaluation_of_the_split_is_taken(stored):
    path = stored("again")
    run = RunDir(path)
    later = run.own_evaluation("test")
    later.path.mkdir(parents=True)
    report = json.loads(run.metrics_file.read_text())
    families = {"blur": {"1": {}, "2": {}}, "shift": {"1": {}}}
    shifts = {"mean_auroc": {"value": 0.9, "ci95": [0.8, 0.95]}, "families": families, "n": 120, "n_patients": 60}
    report["splits"]["test"]["shifts"] = shifts | {"balanced_accuracy": {"value": 0.7, "ci95": [0.6, 0.8]}}
    storage.write_json(later.metrics_file, report)
    later.predictions_file.write_bytes(run.predictions_file.read_bytes())
    found = compared([path, stored("other", seed=2)]).to_dict()
    assert found["runs"][0]["shift_mean_auroc"]["value"] == 0.9 and found["runs"][1]["shift_mean_auroc"] is None
    assert found["runs"][0]["shift_views"] == {"views": 3, "n": 120, "n_patients": 60}
    lines = remarks(found)
    assert "Shifted views: 3 of each of 120 images, 60 patients." in lines
    assert "No shifted figures: other; `medxray evaluate RUN --shifts` makes them." in lines


def test_tables_and_files_hold_every_run_and_pair(three, tmp_path):
    comparison = compared(three)
    found = storage.plain(comparison.to_dict())
    header, *rows = figure_rows(found)
    assert header == ["run", "AUROC", "AUPRC", "precision", "recall", "F1", "accuracy"]
    assert [row[0] for row in rows] == ["a", "b", "c"] and len(pair_rows(found)) == 7
    files = write_comparison(comparison, found, tmp_path / "out")
    assert sorted(file.name for file in files) == sorted(path.name for path in (tmp_path / "out").iterdir())
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == found
    answers = pd.read_csv(tmp_path / "out" / "answers.csv")
    assert len(answers) == 120 and {"right_a", "right_b", "right_c"} < set(answers.columns)
    assert answers["right_a"].mean() == pytest.approx(found["runs"][0]["accuracy"]["value"])
    runs = pd.read_csv(tmp_path / "out" / "runs.csv")
    assert runs["auroc_low"][0] == pytest.approx(found["runs"][0]["auroc"]["ci95"][0])
    assert (tmp_path / "out" / "figures.svg").read_text().lstrip().startswith("<?xml")
    text = markdown(found)
    assert text.count("not a medical device") == 1 and "## Tests of each pair" in text


def test_figures_of_shifted_views_stand_in_a_table_of_their_own(three, stored):
    assert shifted_rows(compared(three).to_dict()) == []
    figure, views = {"value": 0.5, "ci95": [0.25, 0.75]}, {"families": {"crop": {"1": {}}}, "n": 9, "n_patients": 7}
    shifts = dict.fromkeys(("mean_auroc", "average_precision", "precision", "sensitivity", "f1"), figure) | views
    found = storage.plain(compared([three[0], stored("seen", skill=2, seed=5, shifts=shifts)]).to_dict())
    header, without, row = shifted_rows(found)
    assert header == ["run", *(f"{name}, shifted" for name in ("AUROC", "AUPRC", "precision", "recall", "F1"))]
    assert without == ["a", *"-----"] and row == ["seen", *["0.500 [0.250, 0.750]"] * 5]
    assert "## Shifted views" in markdown(found) and "shifted" not in figure_rows(found)[0]


def test_every_group_and_view_of_shifts_can_be_compared(three, stored, evaluated, tmp_path):
    predictions, decision, _ = evaluated(skill=2, seed=5)
    logits = {("blur", 1): predictions.logits, ("crop", 2): -predictions.logits, ("crop", 3): predictions.logits}
    shifts = evaluate_shifts(predictions, decision, logits, groups={"blur": "sharpness", "crop": "framing"}, n_boot=60)
    comparison = compared([three[0], stored("seen", skill=2, seed=5, shifts=shifts)])
    found = storage.plain(comparison.to_dict())
    header, row = group_rows(found)
    assert header[1:] == ["sharpness", "framing", "lowest AUROC", "lowest balanced accuracy"]
    assert row[0] == "seen" and row[2].startswith("0.500, ") and row[3].endswith("(crop 2)")
    assert found["runs"][1]["shift_ece"]["value"] == pytest.approx(shifts["mean_ece"])
    write_comparison(comparison, found, tmp_path / "out")
    views = pd.read_csv(tmp_path / "out" / "shifts.csv")
    assert views[["run", "group", "family", "severity"]].to_numpy().tolist() == [
        ["seen", "sharpness", "blur", 1],
        ["seen", "framing", "crop", 2],
        ["seen", "framing", "crop", 3],
    ]
    assert views["auroc"][1] == pytest.approx(1 - views["auroc"][0])
    assert "## Groups of shifted views" in markdown(found) and group_rows(compared(three).to_dict()) == []


def test_a_link_to_a_run_is_no_further_run_and_a_study_stands_for_its_runs(three, tmp_path, caplog):
    (tmp_path / "latest").symlink_to(three[0])
    assert len(compared([*three, tmp_path / "latest"]).members) == 3
    study = tmp_path / "study"
    study.mkdir()
    storage.write_json(study / "study.json", {"kind": "medxray-study", "runs": 2, "config": {}})
    for number, path in enumerate(three[:2], start=1):
        path.rename(study / str(number))
    assert [member.name for member in compared([study, three[2]]).members] == ["study/1", "study/2", "c"]
    shutil.rmtree(study / "2")
    assert [member.name for member in compared([study, three[2]]).members] == ["study/1", "c"]
    assert "study has 1 of its 2 runs" in caplog.text
    shutil.rmtree(study / "1")
    with pytest.raises(RunError, match="is a study that holds no run"):
        compared([study, three[2]])


def test_what_else_lies_in_a_folder_of_runs_is_left_out_and_told_of(three, tmp_path, caplog):
    (tmp_path / "mlflow.db").write_bytes(b"")
    (tmp_path / "mlflow-files").mkdir()
    assert [member.name for member in compared(sorted(tmp_path.iterdir())).members] == ["a", "b", "c"]
    assert "mlflow.db holds no run" in caplog.text and "mlflow-files holds no run" in caplog.text


def test_runs_of_one_name_are_told_apart_by_their_paths(stored):
    found = compared([stored("x/run"), stored("y/run", seed=1)]).to_dict()
    assert [run["name"].rpartition("/")[0][-1] for run in found["runs"]] == ["x", "y"]


@pytest.mark.slow
def test_the_command_prints_tables_or_one_json_value(binary_run, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(binary_run.path, other)
    for path in (binary_run.path, other):
        load_run(path).write_evaluation(split="test")
    words = [str(binary_run.path), str(other), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(compare, words)
    assert result.exit_code == 0, result.output
    assert "images/s" in result.stdout and "p (Holm)" in result.stdout
    found = json.loads(CliRunner().invoke(compare, [*words, "--json"]).stdout)
    assert {"name", "auroc", "precision", "recall", "f1", "shift_mean_auroc"} < set(found["runs"][0])
    assert found["runs"][0]["parameters"] > 0 and found["runs"][0]["images_per_second"] > 0
