"""What a trial is worth."""

import math

import numpy as np
import pytest

from medxray.errors import DataError
from medxray.metrics.decision import DEFAULT_POINT, Decision
from medxray.metrics.predictions import Predictions
from medxray.metrics.report import evaluate_split
from medxray.studies.tuning.choices import OBJECTIVES
from medxray.studies.tuning.objective import judge


def predicted(logits, truth, classes=("NORMAL", "PNEUMONIA")):
    count = len(truth)
    return Predictions(
        paths=tuple(map(str, range(count))),
        patient_ids=np.arange(count).astype(str),
        y_true=np.array(truth),
        logits=np.array(logits, float),
        classes=classes,
        positive=classes[-1] if len(classes) == 2 else None,
        split="val",
    )


def test_nll_is_the_mean_over_images_and_views_of_what_the_model_gives():
    part = predicted([[0, math.log(3)], [0, 0]], [1, 0])
    first = (-math.log(0.75) - math.log(0.5)) / 2
    assert judge(part, [part.logits], OBJECTIVES["nll"])["value"] == pytest.approx(first)
    other = np.array([[0, 0], [math.log(3), 0]])  # the same two terms, on the other images
    assert judge(part, [part.logits, other], OBJECTIVES["nll"])["value"] == pytest.approx(first)


def test_auroc_is_the_mean_over_views_with_an_interval_around_it():
    rng = np.random.default_rng(0)
    truth = np.arange(40) % 2
    part = predicted(np.stack([np.zeros(40), truth + rng.normal(0, 1, 40)], axis=1), truth)
    constant = np.zeros((40, 2))  # ties: AUROC 0.5
    single = judge(part, [part.logits], OBJECTIVES["auroc"])
    assert single == evaluate_split(part, Decision(DEFAULT_POINT))["auroc"]
    both = judge(part, [part.logits, constant], OBJECTIVES["auroc"])
    assert both["value"] == pytest.approx((single["value"] + 0.5) / 2)
    assert both["ci95"][0] < both["value"] < both["ci95"][1] < single["ci95"][1]


def test_with_three_classes_the_auroc_is_the_mean_of_each_against_the_others():
    logits = [[2, 1, 0], [1, 2, 0], [0, 1, 2], [0, 2, 1]]
    part = predicted(logits, [0, 1, 2, 0], classes=("A", "B", "C"))
    odds = [math.log(math.exp(row[1]) / (math.exp(row[0]) + math.exp(row[2]))) for row in logits]
    assert odds[3] == odds[1] > odds[0] and odds[0] == odds[2]  # B: 1 image ties with one of three others: 5/6
    # A: images 0 and 3 against 1 and 2: 0 wins both, 3 ties with none and beats none but the equal first logit of 2
    found = judge(part, [part.logits], OBJECTIVES["auroc"])["value"]
    assert found == pytest.approx(evaluate_split(part, Decision(None))["auroc"]["value"])


def test_a_class_without_images_is_named():
    part = predicted([[0, 1], [0, 2]], [1, 1])
    with pytest.raises(DataError, match="there is none of NORMAL"):
        judge(part, [part.logits], OBJECTIVES["auroc"])
    assert judge(part, [part.logits], OBJECTIVES["nll"])["value"] > 0
