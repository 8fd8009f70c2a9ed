"""The report of a split: its keys, its figures, and what it says when data are degenerate."""

import dataclasses
import json
import time

import numpy as np
import pandas as pd
import pytest

from medxray.metrics.bootstrap import bootstrap
from medxray.metrics.decision import Decision, fit_decision
from medxray.metrics.intervals import wilson
from medxray.metrics.report import HEADLINE, Figures, evaluate_split
from medxray.metrics.statistics import EACH_CLASS, FigureKey, SplitStatistics
from medxray.metrics.thresholds import OperatingPoint
from medxray.system import storage

AT_HALF = Decision(OperatingPoint(0.5, "0.5", "fixed"))
DOCUMENTED = (
    "split",
    "n",
    "n_patients",
    "classes",
    "positive",
    "auroc",
    "accuracy",
    "sensitivity",
    "specificity",
    "precision",
    "f1",
    "average_precision",
    "balanced_accuracy",
    "mcc",
    "brier",
    "per_class",
    "confusion_matrix",
    "threshold",
    "calibration",
    "subgroups",
)


def estimates(report):
    """Every {"value", "ci95"} in a report, with its place."""
    stack = [("", report)]
    while stack:
        place, value = stack.pop()
        if isinstance(value, dict) and "ci95" in value:
            yield place, value
        elif isinstance(value, dict):
            stack += [(f"{place}/{name}", item) for name, item in value.items()]
        elif isinstance(value, list):
            stack += [(f"{place}/{index}", item) for index, item in enumerate(value)]


@pytest.fixture
def report(simulate):
    validation = simulate(300, split="val", seed=1, temperature=2.0)
    return evaluate_split(simulate(240, seed=2, temperature=2.0), fit_decision(validation), n_boot=300)


def test_report_has_the_documented_keys_in_order(report):
    assert [name for name in report if name in DOCUMENTED] == list(DOCUMENTED)
    assert set(report["auroc"]) == {"value", "ci95"}
    assert set(report["threshold"]) == {"value", "log_odds", "rule", "chosen_on"}
    assert {"temperature", "bias", "ece_before", "ece_after"} <= set(report["calibration"])
    assert (report["split"], report["n"], report["positive"]) == ("test", 240, "PNEUMONIA")


def test_report_is_json_and_every_interval_holds_its_value(report):
    assert json.loads(json.dumps(report, allow_nan=False)) == report == storage.plain(report)
    found = list(estimates(report))
    assert len(found) >= 50
    for place, value in found:
        if value["ci95"] is not None:
            low, high = value["ci95"]
            assert low <= value["value"] <= high, place


def test_figures_follow_from_the_confusion_matrix(report):
    (tn, fp), (fn, tp) = report["confusion_matrix"]
    assert report["accuracy"]["value"] == (tn + tp) / 240
    assert report["sensitivity"]["value"] == tp / (tp + fn)
    assert report["specificity"]["ci95_by_image"] == pytest.approx(wilson(tn, tn + fp))
    assert report["precision"]["ci95_by_image"] == pytest.approx(wilson(tp, tp + fp))
    assert report["npv"]["value"] == tn / (tn + fn)
    assert report["per_class"]["NORMAL"]["sensitivity"] == report["specificity"]
    assert report["per_class"]["PNEUMONIA"]["n_predicted"] == tp + fp


def test_threshold_one_half_stands_beside_the_chosen_one(report):
    half = report["at_threshold_0.5"]
    assert half["threshold"] == 0.5 != report["threshold"]["value"]
    (tn, fp), (fn, tp) = half["confusion_matrix"]
    assert half["sensitivity"]["value"] == tp / (tp + fn) and half["specificity"]["value"] == tn / (tn + fp)
    assert half["sensitivity"]["ci95_by_image"] == pytest.approx(wilson(tp, tp + fn))
    assert half["mcc"]["ci95"] is not None


def test_calibration_improves_on_an_overconfident_model(report):
    calibration = report["calibration"]
    assert calibration["temperature"] > 1.5
    assert calibration["nll_after"] < calibration["nll_before"]
    assert calibration["ece_after"] < calibration["ece_before"]
    assert calibration["brier_after"] == pytest.approx(report["brier"]["value"])
    assert calibration["nll_after"] == pytest.approx(report["nll"]["value"])


def test_intervals_are_those_of_the_patient_bootstrap(simulate):
    part = simulate(150)
    report = evaluate_split(part, AT_HALF, n_boot=200, seed=5)
    samples = bootstrap(SplitStatistics(part, AT_HALF), part.patient_ids, part.y_true, n_boot=200, seed=5)
    for name in ("average_precision", "f1", "mcc", "brier"):
        assert report[name]["ci95"] == pytest.approx(np.quantile(samples[FigureKey(name)], [0.025, 0.975])), name
    low, high = np.quantile(samples[FigureKey("sensitivity")], [0.025, 0.975])
    assert report["sensitivity"]["ci95"] == pytest.approx([low, high], abs=0.03)  # another way to the same
    low, high = np.quantile(samples[FigureKey("auroc")], [0.025, 0.975])
    assert report["auroc"]["ci95"] == pytest.approx([low, high], abs=0.03)


def test_shares_and_aurocs_are_by_patient_and_shares_by_image_beside(simulate):
    part = simulate(150)
    four = part.where(np.repeat(np.arange(150), 4))
    once, often = (evaluate_split(rows, AT_HALF, n_boot=20) for rows in (part, four))
    for name in ("auroc", "accuracy", "sensitivity", "npv"):
        assert often[name]["ci95"] == pytest.approx(once[name]["ci95"]), name
    narrow, wide = often["accuracy"]["ci95_by_image"], often["accuracy"]["ci95"]
    assert wide[0] < narrow[0] and narrow[1] < wide[1]
    assert often["accuracy"]["ci95_by_patient"] == wide


def test_the_split_of_the_decision_says_that_its_figures_are_optimistic(simulate):
    validation = simulate(300, split="val", seed=1)
    decision = fit_decision(validation)
    reports = [evaluate_split(part, decision, n_boot=10) for part in (validation, simulate(300, seed=2))]
    assert [report["fitted_here"] for report in reports] == [True, False]
    assert ["optimistic" in " ".join(report["notes"]) for report in reports] == [True, False]


def test_the_same_seed_gives_the_same_report(simulate):
    part = simulate(80)
    assert evaluate_split(part, AT_HALF, n_boot=50) == evaluate_split(part, AT_HALF, n_boot=50)


def test_predictive_values_are_stated_with_their_prevalence(report):
    at_half = report["ppv_npv_at_prevalence"][-1]
    sensitivity, specificity = report["sensitivity"]["value"], report["specificity"]["value"]
    assert at_half["prevalence"] == 0.5
    assert at_half["ppv"]["value"] == pytest.approx(sensitivity / (sensitivity + 1 - specificity))
    assert at_half["npv"]["ci95"] is not None


def test_cost_rule_reports_the_cost_per_image(make_predictions):
    part = make_predictions([0, 0, 1, 1], [[0, 1], [1, 0], [1, 0], [0, 1]])
    decision = Decision(OperatingPoint(0.5, "cost:5/1", "val"))
    assert evaluate_split(part, decision)["cost"] == {"fn": 5.0, "fp": 1.0, "per_image": (5 + 1) / 4}
    assert evaluate_split(part, AT_HALF)["cost"] is None


def test_three_classes_are_averaged_and_have_no_threshold(simulate):
    part = simulate(200, 3)
    report = evaluate_split(part, Decision(None), n_boot=100)
    json.dumps(report, allow_nan=False)
    assert report["positive"] is None and report["threshold"] is None and report["at_threshold_0.5"] is None
    matrix = np.array(report["confusion_matrix"])
    recalls = np.diag(matrix) / matrix.sum(axis=1)
    assert report["sensitivity"]["value"] == report["balanced_accuracy"]["value"] == pytest.approx(recalls.mean())
    assert report["per_class"]["VIRAL"]["sensitivity"]["value"] == pytest.approx(recalls[2])
    aurocs = [figures["auroc"]["value"] for figures in report["per_class"].values()]
    assert report["auroc"]["value"] == pytest.approx(np.mean(aurocs)) and report["auroc"]["ci95"] is not None
    assert set(report["errors"]) == {"misclassified"}


def test_subgroups_by_size_and_brightness_need_image_statistics(simulate):
    stats = pd.DataFrame({"width": np.arange(60) + 9, "height": 10, "brightness": np.arange(60) % 7})
    report = evaluate_split(simulate(60), AT_HALF, image_stats=stats, n_boot=50)
    assert list(report["subgroups"]) == ["subtype", "image_size", "brightness"]
    assert not any("not measured" in note for note in report["notes"])


def degenerate(make_predictions, name):
    rng = np.random.default_rng(0)
    cases = {
        "empty": ([], np.zeros((0, 2)), None),
        "one image": ([1], rng.normal(size=(1, 2)), None),
        "only positive": (np.ones(40, int), rng.normal(size=(40, 2)), None),
        "only negative": (np.zeros(40, int), rng.normal(size=(40, 2)), None),
        "constant": (np.arange(40) % 2, np.zeros((40, 2)), None),
        "perfect": (np.arange(40) % 2, 5.0 * np.eye(2)[np.arange(40) % 2], None),
        "one patient": (np.arange(40) % 2, rng.normal(size=(40, 2)), np.zeros(40, int)),
        "nobody called": (np.arange(40) % 2, np.tile([9.0, 0.0], (40, 1)) + rng.normal(size=(40, 2)), None),
        "one sick patient": ([*np.zeros(30, int), 1], rng.normal(size=(31, 2)), None),
        "huge logits": (np.arange(40) % 2, 1e6 * rng.normal(size=(40, 2)), None),
        "absent class": (np.arange(40) % 2, rng.normal(size=(40, 3)), None),
    }
    y_true, logits, patients = cases[name]
    return make_predictions(y_true, logits, patients=patients)


@pytest.mark.parametrize(
    ("name", "nulls", "note"),
    [
        ("empty", HEADLINE, "has no images; nothing can be measured"),
        ("one image", ("auroc", "specificity", "balanced_accuracy", "mcc"), "10 images are needed and there are 1"),
        ("only positive", ("auroc", "specificity", "mcc"), "no images of NORMAL"),
        ("only negative", ("auroc", "sensitivity", "average_precision"), "no images of PNEUMONIA"),
        ("constant", ("mcc", "npv"), "the same scores to all images"),
        ("perfect", (), "separated perfectly"),
        ("one patient", (), "2 patients of each class are needed and one class has 1"),
        ("nobody called", ("precision", "mcc"), "No image was called PNEUMONIA"),
        ("one sick patient", (), "2 patients of each class are needed and one class has 1"),
        ("huge logits", (), "images were not measured"),
        ("absent class", ("auroc", "balanced_accuracy"), "no images of VIRAL"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_degenerate_splits_give_nulls_and_a_note_and_never_fail(make_predictions, name, nulls, note):
    part = degenerate(make_predictions, name)
    decision = AT_HALF if part.is_binary else Decision(None)
    report = evaluate_split(part, decision, n_boot=60)
    json.dumps(report, allow_nan=False)
    found = {figure for figure in HEADLINE if report[figure]["value"] is None}
    assert set(nulls) <= found
    assert any(note in sentence for sentence in report["notes"]), report["notes"]
    if not nulls:
        assert not found


def test_perfect_separation_is_exactly_one(make_predictions):
    report = evaluate_split(degenerate(make_predictions, "perfect"), AT_HALF, n_boot=60)
    for figure in ("auroc", "average_precision", "accuracy", "f1", "mcc"):
        assert report[figure]["value"] == 1.0, figure
    assert report["sensitivity"]["ci95"][0] < 0.9  # twenty patients are few
    assert report["auroc"]["ci95"] == [pytest.approx(1 - 3 / 20), 1.0]
    assert report["f1"]["ci95"] is None and report["mcc"]["ci95"] is None
    for place, figure in estimates(report):
        assert figure["ci95"] is None or figure["ci95"][0] < figure["ci95"][1], place
    assert report["errors"] == {"false_positives": [], "false_negatives": []}


def test_a_figure_that_many_resamples_leave_undefined_has_no_interval_and_a_note(make_predictions):
    logits = np.tile([2.0, 0.0], (40, 1))
    logits[39] = [0.0, 2.0]  # a single image is called positive: a third of the resamples have none
    report = evaluate_split(make_predictions(np.arange(40) % 2, logits), AT_HALF, n_boot=400)
    assert report["precision"]["value"] == 1.0 and report["precision"]["ci95"][0] < 0.3
    (note,) = [note for note in report["notes"] if note.startswith("No interval by patient for ")]
    for name in ("precision", "precision at threshold 0.5", "precision of a class"):
        assert f"{name}," in note or f"{name}:" in note, name


def test_which_figures_lack_an_interval_does_not_depend_on_what_was_read_before():
    auroc, recall = FigureKey("auroc"), FigureKey("sensitivity", EACH_CLASS)
    point = {auroc: 0.5, recall: np.array([0.5, np.nan])}
    samples = {auroc: np.linspace(0, 1, 100), recall: np.full((100, 2), np.nan)}
    figures = Figures(point, samples)
    assert figures.undefined() == [recall]
    assert figures(auroc)["ci95"] is not None and figures(recall, 0) == {"value": 0.5, "ci95": None}
    assert figures.undefined() == [recall]
    assert Figures(point, {}).undefined() == []


def test_a_figure_that_is_undefined_itself_lacks_no_interval():
    key = FigureKey("npv")
    assert Figures({key: np.nan}, {key: np.full(100, np.nan)}).undefined() == []


def test_two_thousand_resamples_of_800_images_take_seconds_at_most(simulate):
    """Processor time, which other busy processes do not lengthen; half a second is usual."""
    part = simulate(800)
    begin = time.process_time()
    evaluate_split(part, AT_HALF)
    assert time.process_time() - begin < 3


@pytest.mark.parametrize(("unknown", "text"), [(0, None), (3, "The patients of 3 of 8 images are unknown"), (8, "The")])
def test_images_of_unknown_patients_are_told(make_predictions, unknown, text):
    patients = [f"image:{n}.png" if n < unknown else f"person{n}" for n in range(8)]
    predictions = make_predictions([0, 1] * 4, np.eye(2)[[0, 1] * 4])
    predictions = dataclasses.replace(predictions, patient_ids=np.array(patients))
    notes = [note for note in evaluate_split(predictions, AT_HALF, n_boot=10)["notes"] if "are by image there" in note]
    assert [note.startswith(text) for note in notes] == ([] if text is None else [True])
