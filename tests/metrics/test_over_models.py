"""Figures of several models of the same images."""

import numpy as np
import pytest

from medxray.metrics.calibration import Calibration
from medxray.metrics.decision import Decision
from medxray.metrics.over_models import decided_logits, mean_over_models, spread
from medxray.metrics.report import evaluate_split
from medxray.metrics.thresholds import OperatingPoint


@pytest.mark.parametrize("classes", [("NORMAL", "PNEUMONIA"), ("a", "b", "c")])
def test_means_are_those_of_the_single_reports(evaluated, classes):
    found = [evaluated(skill=skill, seed=seed, classes=classes) for seed, skill in enumerate((1.0, 2.5))]
    predictions, decisions = [part for part, _, _ in found], [decision for _, decision, _ in found]
    means = mean_over_models(predictions, decisions)
    for name, figure in means.items():
        expected = np.mean([report[name]["value"] for _, _, report in found])
        assert figure["value"] == pytest.approx(expected, abs=1e-9), name
        assert figure["ci95"][0] < figure["value"] < figure["ci95"][1]


def test_each_model_keeps_its_own_threshold(evaluated):
    predictions, _, _ = evaluated()
    decision = Decision(OperatingPoint(0.8, "youden", "val", float(np.log(4))), Calibration(2.0, (0.0, 0.7)))
    labels = decided_logits(predictions, decision).argmax(axis=1)
    np.testing.assert_array_equal(labels, decision.labels(predictions.logits))
    assert (
        0
        < evaluate_split(predictions, decision, n_boot=10)["sensitivity"]["value"]
        == labels[predictions.is_positive].mean()
    )


def test_spread_by_hand():
    assert spread([1, 2, 3]) == {"values": [1, 2, 3], "mean": 2, "sd": 1, "lowest": 1, "highest": 3}
    assert spread([0.5])["sd"] is None and spread([0.5, None]) is None
