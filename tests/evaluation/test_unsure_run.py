"""Prediction sets and abstention of a trained run: stored, reported, predicted, and computed again for older runs."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from medxray.api import load_run
from medxray.errors import RunError
from medxray.evaluation.unsure import refit, stored_validation
from medxray.evaluation.unsure_text import abstain_rows, set_rows, shifted_lines, stored_lines
from medxray.metrics.unsure import Unsure, fit_unsure


@pytest.fixture
def copied(trained, tmp_path):
    """A copy of the trained run that may be changed."""
    shutil.copytree(trained.path, tmp_path / "run")
    return load_run(tmp_path / "run")


@pytest.fixture
def old(copied):
    """The run as an earlier version leaves it."""
    record = copied.directory.read_record()
    del record["unsure"]
    copied.directory.record_file.write_text(json.dumps(record))
    return load_run(copied.path)


@pytest.fixture
def image(trained):
    table = pd.read_csv(trained.directory.split_file)
    return f"{trained.record['data']['root']}/{table[table['split'] == 'test']['path'].iloc[0]}"


def test_training_stores_what_its_validation_predictions_give(trained):
    stored = Unsure.from_dict(trained.record["unsure"])
    assert stored == trained.unsure == fit_unsure(stored_validation(trained), trained.decision)
    assert stored.views == ("clean",)


def test_reports_plots_and_card_of_training_tell_it(trained):
    report = json.loads(trained.directory.metrics_file.read_text())["splits"]["test"]
    found = report["unsure"]
    assert set(found["sets"]["per_class"]) == set(trained.classes)
    assert [point["risk"] for point in found["abstain"]] == [0.05, 0.01]
    assert any("cannot be shown" in message for message in found["messages"])  # a handful of patients
    assert (trained.directory.plots / "test_risk_coverage.png").is_file()
    card = trained.directory.card_file.read_text()
    assert "Prediction sets at 97.5 %" in card and "nothing is promised" in card


def test_shifted_views_are_measured_where_they_are_evaluated(trained, monkeypatch):
    from medxray.evaluation import shifts
    from medxray.runs.images import own_manifest

    monkeypatch.setattr(shifts, "VIEWS", (("crop", 1), ("jpeg", 2)))
    predicted = trained.predict_manifest(own_manifest(trained, "test"), split="test")
    found = shifts.report_shifts(trained, *predicted)["unsure"]
    assert found["sets"]["per_class"]["NORMAL"]["n"] == 2 * (predicted[0].y_true == 0).sum()
    assert shifted_lines(found)[0].startswith("Prediction sets on shifted views: class in set NORMAL")


def test_predict_with_an_error_that_can_be_kept_prints_unsure_and_writes_columns(copied, image, medxray, tmp_path):
    stored = copied.record["unsure"]
    many = {"clean": {"answered": [400], "wrong": [0]}}
    high = {"confidence": 0.9, "patients": 400, "log_odds": [50.0], "views": many}
    copied.directory.update_record(unsure=stored | {"abstain": high})
    status, out, _ = medxray("predict", image, "--model", copied.path, "--abstain", "0.05", "--gate", "off")
    assert status == 0 and out.startswith("unsure  ") and out.rstrip().endswith("{NORMAL, PNEUMONIA}")
    file = tmp_path / "table.csv"
    medxray("predict", image, "--model", copied.path, "--abstain", "0.05", "--csv", file)
    table = pd.read_csv(file)
    assert table[["answered", "prediction_set"]].to_numpy().tolist() == [[False, "NORMAL|PNEUMONIA"]]
    _, out, _ = medxray("predict", image, "--model", copied.path, "--abstain", "0.05", "--json")
    (row,) = json.loads(out)
    assert (row["answered"], row["prediction_set"]) == (False, ["NORMAL", "PNEUMONIA"])
    assert row["label"] in ("NORMAL", "PNEUMONIA")
    copied.directory.update_record(unsure=stored | {"abstain": high | {"log_odds": [None]}})
    _, out, _ = medxray("predict", image, "--model", copied.path, "--abstain", "0.05")
    assert out.startswith(row["label"])


def test_an_error_that_cannot_be_kept_is_one_line_and_status_2(trained, image, medxray):
    status, out, err = medxray("predict", image, "--model", trained.path, "--abstain", "0.05")
    assert (status, out) == (2, "") and "An error below 5 % among answered patients cannot be shown" in err
    status, _, err = medxray("predict", image, "--model", trained.path, "--abstain", "5")
    assert status == 2 and "above 0 and below 1" in err


def test_without_the_option_the_table_has_no_further_columns(trained, image):
    assert not {"answered", "prediction_set"} & set(trained.predict([image]))


@pytest.mark.slow
def test_an_older_run_predicts_and_evaluates_as_before_and_says_what_to_do(old, image, medxray):
    assert old.unsure is None and len(old.predict([image])) == 1
    status, _, err = medxray("predict", image, "--model", old.path, "--abstain", "0.05")
    assert status == 1 and f"medxray unsure {old.path}" in err
    report, _ = old.write_evaluation(split="test")
    assert "unsure" not in report


def test_the_command_computes_it_for_an_older_run_from_stored_predictions(old, trained, medxray, monkeypatch):
    monkeypatch.setattr(type(old), "predict_manifest", None)  # no image is looked at
    status, out, _ = medxray("unsure", old.path)
    assert status == 0 and out.splitlines()[-1] == str(old.directory.record_file)
    assert "Prediction sets at 97.5 %" in out and "nothing is promised" in out
    assert load_run(old.path).unsure == trained.unsure
    status, out, _ = medxray("unsure", old.path, "--level", "0.6")
    assert load_run(old.path).unsure.sets.level == 0.6 and "Prediction sets at 60 %" in out


def test_shifted_views_are_computed_from_the_images(old, trained):
    found = refit(old, views="shifted")
    assert found.views == ("clean", "shifted") and load_run(old.path).unsure == found
    clean = trained.unsure.abstention
    assert found.abstention.patients == clean.patients
    differences = np.subtract(found.abstention.counts["clean"].answered, clean.counts["clean"].answered)
    assert np.abs(differences).max() <= 1  # logits are predicted again
    lowest = np.array(found.sets.log_odds) <= np.array(trained.unsure.sets.log_odds) + 1e-4
    assert lowest.all()


def test_fitted_weights_of_an_ensemble_are_told_of_where_they_are_not_cross_fitted(old, monkeypatch, caplog):
    old.record["ensemble"] = {"weights_of_folds": [[0.5, 0.5]]}
    monkeypatch.setattr("medxray.evaluation.unsure._with_shifted", lambda run: (stored_validation(run), None))
    refit(old)
    assert not caplog.text
    refit(old, views="shifted")
    assert "here they are not cross-fitted" in caplog.text


@pytest.mark.slow
def test_a_run_without_validation_predictions_says_how_to_make_them(old):
    old.directory.predictions_file.unlink()
    with pytest.raises(RunError, match="medxray evaluate .* --split val"):
        refit(old)
    old.write_evaluation(split="val")
    assert refit(old).abstention.patients > 0


def test_a_block_of_other_classes_is_refused(copied):
    stored = copied.record["unsure"]
    sets = {"level": 0.9, "log_odds": [0.0, 0.0, 0.0], "patients": [9, 9, 9]}
    copied.directory.update_record(unsure=stored | {"sets": sets})
    with pytest.raises(RunError, match="one threshold for each of the 2 classes"):
        load_run(copied.path)


def test_words_of_points_that_are_kept_and_of_those_that_are_not(simulate):
    from medxray.metrics.decision import Decision
    from medxray.metrics.thresholds import OperatingPoint
    from medxray.metrics.unsure_report import report_unsure

    decision = Decision(OperatingPoint(0.5, "0.5", "fixed"))
    validation = simulate(600, split="val", skill=3.0)
    unsure = fit_unsure(validation, decision, shifted={"a": validation.logits})
    lines = stored_lines(unsure, validation.classes)
    assert lines[0].startswith("Prediction sets at 97.5 % (clean and shifted views of validation patients: NORMAL ")
    (kept,) = [line for line in lines if line.startswith("--abstain 0.05 answers ")]
    assert "% (clean), " in kept and "with 90 % confidence" in kept
    assert any(line.startswith("An error below 1 %") for line in lines)
    found = report_unsure(simulate(200, skill=3.0), decision, unsure)
    header, five, one = abstain_rows(found)
    assert header[0] == "--abstain" and five[0] == "0.05" and one == ["0.01", "-", "-"]
    assert [row[0] for row in set_rows(found)] == ["prediction sets at 97.5 %", "all", *validation.classes]
