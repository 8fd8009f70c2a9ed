"""What a report says about prediction sets and abstention on a split."""

import math

import numpy as np
import pytest

from medxray.metrics.calibration import Calibration
from medxray.metrics.conformal import PredictionSets
from medxray.metrics.decision import Decision
from medxray.metrics.selective import Abstention, Counts
from medxray.metrics.thresholds import OperatingPoint
from medxray.metrics.unsure import Unsure, fit_unsure
from medxray.metrics.unsure_report import report_unsure, report_unsure_shifted, risk_coverage

HALF = Decision(OperatingPoint(0.5, "0.5", "fixed"))


@pytest.fixture
def small(make_predictions):
    """Patients p0 (two images), p1, p2, p3; log-odds 3, 1, -2, 0.5, -3 of classes 1, 1, 0, 0, 1."""
    log_odds = np.array([3.0, 1.0, -2.0, 0.5, -3.0])
    logits = np.stack([np.zeros(5), log_odds], axis=1)
    return make_predictions([1, 1, 0, 0, 1], logits, patients=[0, 0, 1, 2, 3])


def unsure_at(log_odds, threshold, *, patients=400, answered=400, wrong=0):
    counts = {"clean": Counts((answered,), (wrong,))}
    return Unsure(PredictionSets(0.9, log_odds, (60, 60)), Abstention(0.9, (threshold,), patients, counts))


def test_coverage_size_answers_and_errors_are_counted_by_patient(small):
    report = report_unsure(small, HALF, unsure_at((1.0, 0.0), 1.0))
    # NORMAL from 1 on: log-odds up to -1; PNEUMONIA from 0 on. Sets: {1}, {1}, {0}, {1}, {0}
    sets = report["sets"]
    assert sets["per_class"]["NORMAL"]["coverage"]["value"] == 0.5
    assert sets["per_class"]["PNEUMONIA"]["coverage"]["value"] == 0.5  # both images of p0, none of p3
    assert sets["per_class"]["PNEUMONIA"]["n"] == 3 and sets["per_class"]["PNEUMONIA"]["n_patients"] == 2
    assert sets["coverage"]["value"] == 0.5 and sets["mean_size"]["value"] == 1.0 == sets["single"]["value"]
    five, one = report["abstain"]
    # answered: p0 twice, p1, p3 (wrong); not p2
    assert (five["risk"], five["log_odds"]) == (0.05, 1.0)
    assert five["answered"]["value"] == 0.75 and five["error"]["value"] == pytest.approx(1 / 3)
    assert five["answered_per_class"]["NORMAL"]["value"] == 0.5
    assert five["bound"] == pytest.approx(1 - 0.1 ** (1 / 400)) and one["answered"]["value"] == 0.75


def test_what_validation_patients_do_not_allow_is_null_and_told(small):
    report = report_unsure(small, HALF, unsure_at((1.0, 0.0), 1.0, patients=30, answered=30))
    five = report["abstain"][0]
    assert (five["log_odds"], five["bound"], five["answered"], five["error"]) == (None, None, None, None)
    assert five["lowest_risk"] == 0.074  # 1 - 0.1^(1/30) = 0.0739
    assert "--abstain 0.074" in report["messages"][0]


def test_three_classes_and_an_empty_split(simulate):
    decision = Decision(None, Calibration(1.2))
    unsure = fit_unsure(simulate(500, 3, split="val", skill=3.0), decision)
    report = report_unsure(simulate(300, 3, seed=3, skill=3.0), decision, unsure)
    assert list(report["sets"]["per_class"]) == ["NORMAL", "BACTERIAL", "VIRAL"]
    assert report["sets"]["coverage"]["value"] > 0.9 and report["abstain"][0]["error"]["value"] < 0.05
    empty = report_unsure(simulate(5, 3).where([]), decision, unsure)
    assert empty["sets"]["coverage"] == {"value": None, "ci95": None} == empty["abstain"][0]["answered"]


def test_shifted_views_count_as_further_images_of_their_patient(small):
    unsure = unsure_at((1.0, 0.0), 1.0)
    same = report_unsure_shifted(small, HALF, unsure, {"a": small.logits, "b": small.logits})
    alone = report_unsure(small, HALF, unsure)
    assert same["sets"]["coverage"]["value"] == pytest.approx(alone["sets"]["coverage"]["value"])
    assert same["sets"]["coverage"]["ci95"] == pytest.approx(alone["sets"]["coverage"]["ci95"])
    assert same["abstain"][0]["error"]["value"] == pytest.approx(alone["abstain"][0]["error"]["value"])
    assert same["sets"]["per_class"]["NORMAL"]["n_patients"] == 2


def test_risk_coverage_by_hand(small):
    # sureness 3 (p0, half), 3 (p3, wrong), 2 (p1), 1 (p0, half), 0.5 (p2, wrong)
    answered, error = risk_coverage(small, HALF)
    np.testing.assert_allclose(answered, [1.5 / 4, 2.5 / 4, 3 / 4, 1.0])
    np.testing.assert_allclose(error, [1 / 1.5, 1 / 2.5, 1 / 3, 2 / 4])


def test_a_threshold_that_answers_all_is_told_from_one_that_is_not_there(small):
    report = report_unsure(small, HALF, unsure_at((1.0, 0.0), -math.inf))
    assert report["abstain"][0]["answered"]["value"] == 1.0 and report["abstain"][0]["bound"] is not None
