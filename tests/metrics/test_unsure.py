"""The block that a run stores: fitted, written and read, and what it says where patients are too few."""

import json
import math

import numpy as np
import pytest

from medxray.errors import RunError
from medxray.metrics.calibration import Calibration
from medxray.metrics.conformal import ALWAYS
from medxray.metrics.decision import Decision
from medxray.metrics.thresholds import OperatingPoint
from medxray.metrics.unsure import Unsure, fit_unsure, sureness

BINARY = Decision(OperatingPoint(0.7, "0.7", "fixed"), Calibration(1.5, (0.0, 0.4)))
MANY = Decision(None, Calibration(2.0, (0.0, -0.5, 0.3)))


@pytest.mark.parametrize(("classes", "decision"), [(2, BINARY), (3, MANY)])
def test_the_block_survives_json(simulate, classes, decision):
    validation = simulate(400, classes, split="val")
    shifted = {"noise": validation.logits + 0.1, "bars": validation.logits - 0.1}
    for unsure in (fit_unsure(validation, decision), fit_unsure(validation, decision, shifted=shifted)):
        stored = json.loads(json.dumps(unsure.to_dict(), allow_nan=False))
        assert Unsure.from_dict(stored) == unsure
    assert unsure.views == ("clean", "shifted")
    assert stored["abstain"]["log_odds"][:3] == [None, 0.0, 0.5]


def test_a_class_with_too_few_patients_survives_json_and_is_told(make_predictions):
    validation = make_predictions(np.repeat([0, 1], [30, 100]), np.random.default_rng(0).normal(size=(130, 2)))
    unsure = fit_unsure(validation, BINARY)
    assert unsure.sets.log_odds[0] == ALWAYS < unsure.sets.log_odds[1]
    assert Unsure.from_dict(json.loads(json.dumps(unsure.to_dict()))) == unsure
    message = unsure.messages(("NORMAL", "PNEUMONIA"))[0]
    assert message == (
        "Prediction sets at 97.5 % need 39 validation patients of a class. Too few (NORMAL 30): such a class is in "
        "every set."
    )


def test_an_image_on_the_wrong_side_of_half_but_below_the_threshold_is_the_least_sure():
    # temperature 1.5 and bias 0.4: log-odds of the positive class 1, 0.4 and -1.6; 0.7 has 0.847
    logits = np.array([[0.0, 0.9], [0.0, 0.0], [0.0, -3.0]])
    assert BINARY.labels(logits).tolist() == [1, 0, 0]
    np.testing.assert_allclose(sureness(logits, BINARY), [1.0, -0.4, 1.6])


@pytest.mark.parametrize(("classes", "decision"), [(2, BINARY), (3, MANY)])
def test_answers_and_sets_follow_the_calibrated_log_odds(simulate, classes, decision):
    validation, new = simulate(600, classes, split="val", skill=2.0), simulate(200, classes, seed=5)
    unsure = fit_unsure(validation, decision, level=0.9)
    point = unsure.abstention.point(unsure.abstention.lowest_risk())
    answered = unsure.answered(new.logits, decision, point)
    probability = decision.calibration.probabilities(new.logits)
    labels = decision.labels(new.logits)
    needed = 1 / (1 + math.exp(-point.log_odds))
    assert answered.tolist() == (probability[np.arange(200), labels] >= needed).tolist() and 0 < answered.mean() < 1
    sets = unsure.prediction_sets(new.logits, decision)
    assert sets[np.arange(200), labels].all() and 1 < sets.sum(axis=1).mean() < classes


def test_what_cannot_be_promised_names_what_can(simulate):
    validation = simulate(160, split="val", skill=3.0)
    unsure = fit_unsure(validation, BINARY)
    lowest = unsure.abstention.lowest_risk()
    text = unsure.obstacle(0.01)
    assert text.startswith(
        "An error below 1 % among answered patients cannot be shown with 90 % confidence by "
        f"{validation.n_patients} validation patients. The lowest that can is {100 * lowest:g} % (--abstain {lowest:g})"
    )
    assert text in unsure.messages(validation.classes) and unsure.abstention.point(lowest) is not None
    none = fit_unsure(validation.where(np.arange(4)), BINARY)
    assert "None below 50 % can" in none.obstacle(0.05)


def test_an_empty_validation_split_promises_nothing(simulate):
    unsure = fit_unsure(simulate(4).where([]), BINARY)
    assert unsure.sets.log_odds == (ALWAYS, ALWAYS) and unsure.abstention.point(0.4) is None
    assert Unsure.from_dict(unsure.to_dict()) == unsure


@pytest.mark.parametrize(
    "change",
    [
        {"sets": None},
        {"abstain": {}},
        {"sets": {"level": 1.5, "log_odds": [0, 0], "patients": [1, 1]}},
        {"sets": {"level": 0.9, "log_odds": [0, "x"], "patients": [1, 1]}},
        {"abstain": {"confidence": 0.9, "patients": 5, "log_odds": [0], "views": {"clean": {"answered": [3, 2]}}}},
        {
            "abstain": {
                "confidence": 0.9,
                "patients": 5,
                "log_odds": [0],
                "views": {"clean": {"answered": [3], "wrong": [4]}},
            }
        },
    ],
)
def test_a_damaged_block_is_refused_in_one_line(simulate, change):
    stored = fit_unsure(simulate(100), BINARY).to_dict() | change
    with pytest.raises(RunError, match='block "unsure" of run.json needs .* medxray unsure RUN'):
        Unsure.from_dict(stored)
