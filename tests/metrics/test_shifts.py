"""Figures of shifted views against hand-computed ones, and against the functions for one view."""

import json

import numpy as np
import pytest

from medxray.metrics.calibration import Calibration
from medxray.metrics.clustered import auroc_estimate, mean_auroc_estimate
from medxray.metrics.decision import DEFAULT_POINT, Decision
from medxray.metrics.report import evaluate_split
from medxray.metrics.shifts import AVERAGED, FIGURES, evaluate_shifts
from medxray.metrics.thresholds import OperatingPoint

GROUPS = {"crop": "framing", "blur": "sharpness"}
HALF = Decision(DEFAULT_POINT)


def margins(*values):
    """Two-class logits (n,2) with these log-odds of the positive class."""
    return np.stack([np.zeros(len(values)), values], axis=1)


@pytest.fixture
def small(make_predictions):
    """Four images of four patients; the unchanged ones are all called rightly."""
    return make_predictions([0, 0, 1, 1], margins(-2, -1, 1, 2))


def views(predictions, noise, seed=0):
    rng = np.random.default_rng(seed)
    drawn = {(name, k): rng.normal(scale=noise * k, size=predictions.logits.shape) for name in GROUPS for k in (1, 2)}
    return {view: predictions.logits + values for view, values in drawn.items()}


def test_figures_of_two_views_are_those_computed_by_hand(small):
    logits = {("crop", 1): margins(-2, 1, -1, 2), ("blur", 3): margins(-2, -1, -0.5, 2)}
    found = evaluate_shifts(small, HALF, logits, groups=GROUPS)
    crop, blur = found["families"]["crop"]["1"], found["families"]["blur"]["3"]
    assert {name: crop[name] for name in FIGURES[:4]} == {
        "auroc": 0.75,
        "sensitivity": 0.5,
        "specificity": 0.5,
        "balanced_accuracy": 0.5,
    }
    assert (blur["auroc"], blur["sensitivity"], blur["specificity"], blur["balanced_accuracy"]) == (1, 0.5, 1, 0.75)
    assert found["mean_auroc"]["value"] == 0.875 and found["balanced_accuracy"]["value"] == 0.625
    assert (found["sensitivity"]["value"], found["specificity"]["value"]) == (0.5, 0.75)
    assert {name: (worst["family"], worst["severity"], worst["value"]) for name, worst in found["worst"].items()} == {
        "auroc": ("crop", 1, 0.75),
        "balanced_accuracy": ("crop", 1, 0.5),
    }
    p = 1 / (1 + np.exp(-np.array([-2, 1, -1, 2])))
    assert crop["ece"] == pytest.approx(np.abs(p - [0, 0, 1, 1]).mean())  # each image a bin of its own
    assert found["mean_ece"] == pytest.approx((crop["ece"] + blur["ece"]) / 2)
    assert found["precision"]["value"] == pytest.approx((1 / 2 + 1) / 2)
    assert found["f1"]["value"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found["average_precision"]["value"] == pytest.approx(((1 + 2 / 3) / 2 + 1) / 2)
    assert found["groups"]["framing"]["precision"]["value"] == 0.5
    assert found["clean"]["balanced_accuracy"] == 1 and (found["n"], found["n_patients"]) == (4, 4)
    assert found["groups"]["framing"]["balanced_accuracy"]["value"] == 0.5
    assert found["groups"]["sharpness"]["mean_auroc"]["value"] == 1
    assert crop["group"] == "framing" and crop["n"] == 4


def test_precision_is_null_where_a_view_has_none(small):
    found = evaluate_shifts(small, HALF, {("crop", 1): margins(-2, -1, -1, -2)}, groups=GROUPS)
    assert found["precision"] == {"value": None, "ci95": None} and found["f1"]["value"] == 0


def test_labels_are_those_of_the_stored_log_odds(small):
    point = OperatingPoint(1.0, "youden", "val", log_odds=50.0)  # as a probability it is the same number as 1
    logits = {("crop", 1): margins(49, 51, 49, 51)}
    found = evaluate_shifts(small, Decision(point), logits, groups=GROUPS)["families"]["crop"]["1"]
    assert (found["sensitivity"], found["specificity"]) == (0.5, 0.5)


def test_a_view_has_the_figures_and_intervals_that_its_report_would_have(simulate):
    predictions = simulate(300)
    decision = Decision(OperatingPoint(0.6, "youden", "val"), Calibration(1.3, (0.0, 0.2)))
    logits = views(predictions, 1.0)
    found = evaluate_shifts(predictions, decision, logits, groups=GROUPS)
    for (family, severity), values in logits.items():
        view = type(predictions)(**{**vars(predictions), "logits": values})
        report, entry = evaluate_split(view, decision), found["families"][family][str(severity)]
        for name in ("auroc", "sensitivity", "specificity", "balanced_accuracy"):
            assert entry[name] == pytest.approx(report[name]["value"])
            assert entry["ci95"][name] == pytest.approx(report[name]["ci95"])
        assert entry["ece"] == pytest.approx(report["calibration"]["ece_after"])


def test_identical_views_have_the_interval_of_one(simulate):
    predictions = simulate(300)
    logits = {(name, k): predictions.logits for name in GROUPS for k in (1, 2, 3)}
    found = evaluate_shifts(predictions, HALF, logits, groups=GROUPS)
    own, report = found["families"]["crop"]["1"], evaluate_split(predictions, HALF)
    for name in AVERAGED:
        assert found[name]["value"] == pytest.approx(report[name]["value"])
        assert found[name]["ci95"][0] < found[name]["value"] < found[name]["ci95"][1]
    assert found["average_precision"]["ci95"] == pytest.approx(report["average_precision"]["ci95"])
    assert found["mean_auroc"]["ci95"] == pytest.approx(own["ci95"]["auroc"])
    assert found["balanced_accuracy"]["ci95"] == pytest.approx(own["ci95"]["balanced_accuracy"])
    assert (
        own["ci95"]["auroc"]
        == auroc_estimate(
            predictions.is_positive, predictions.logits[:, 1] - predictions.logits[:, 0], predictions.patient_ids
        )["ci95"]
    )


def test_the_mean_resamples_the_same_patients_in_all_views(simulate):
    """The interval of a mean over views is that of the mean correctness of each image, patients resampled once."""
    predictions = simulate(200)
    logits = views(predictions, 2.0)
    found = evaluate_shifts(predictions, HALF, logits, groups=GROUPS, n_boot=400, seed=3)
    correct = np.mean([HALF.labels(values) == predictions.y_true for values in logits.values()], axis=0)
    from medxray.metrics.bootstrap import resample_weights

    samples = []
    for weights in resample_weights(predictions.patient_ids, predictions.y_true, n_boot=400, seed=3):
        of_class = [
            (weights[:, own] @ correct[own]) / weights[:, own].sum(axis=1)
            for own in (predictions.y_true == 0, predictions.y_true == 1)
        ]
        samples.append(np.mean(of_class, axis=0))
    low, high = np.quantile(np.concatenate(samples), [0.025, 0.975])
    assert found["balanced_accuracy"]["ci95"] == pytest.approx([low, high])
    widths = [
        np.ptp(entry["ci95"]["balanced_accuracy"]) for one in found["families"].values() for entry in one.values()
    ]
    assert high - low < np.mean(widths)


def test_three_classes_have_macro_figures(simulate):
    predictions = simulate(240, k=3)
    decision = Decision(None)
    logits = views(predictions, 1.0)
    found = evaluate_shifts(predictions, decision, logits, groups=GROUPS)
    for (family, severity), values in logits.items():
        view = type(predictions)(**{**vars(predictions), "logits": values})
        report, entry = evaluate_split(view, decision), found["families"][family][str(severity)]
        for name in ("auroc", "sensitivity", "specificity", "balanced_accuracy"):
            assert entry[name] == pytest.approx(report[name]["value"])
        log_odds = view.log_odds(decision.calibration)
        expected = mean_auroc_estimate(view.y_true, log_odds, view.patient_ids)["ci95"]
        assert entry["ci95"]["auroc"] == pytest.approx(expected)
        assert entry["ci95"]["balanced_accuracy"] == pytest.approx(report["balanced_accuracy"]["ci95"])
    assert found["mean_auroc"]["ci95"][0] < found["mean_auroc"]["value"] < found["mean_auroc"]["ci95"][1]
    parts = [type(predictions)(**{**vars(predictions), "logits": values}) for values in logits.values()]
    reports = [evaluate_split(part, decision) for part in parts]
    for name in AVERAGED:
        assert found[name]["value"] == pytest.approx(np.mean([report[name]["value"] for report in reports]))


def test_what_one_class_or_few_patients_cannot_say_is_null_and_json(make_predictions):
    one_class = make_predictions([1, 1, 1], margins(1, 2, -3))
    found = evaluate_shifts(one_class, HALF, {("crop", 1): margins(1, -2, -3)}, groups=GROUPS)
    entry = found["families"]["crop"]["1"]
    assert entry["auroc"] is entry["specificity"] is entry["balanced_accuracy"] is None
    assert entry["sensitivity"] == pytest.approx(1 / 3) and found["worst"] == {"auroc": None, "balanced_accuracy": None}
    assert found["mean_auroc"] == found["balanced_accuracy"] == {"value": None, "ci95": None}
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    one_patient = make_predictions([0, 1], margins(-1, 1), patients=[0, 0])
    few = evaluate_shifts(one_patient, HALF, {("crop", 1): margins(-1, 1)}, groups=GROUPS)
    assert few["mean_auroc"] == {"value": 1.0, "ci95": None} == few["balanced_accuracy"]
