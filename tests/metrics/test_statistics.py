"""The figures of a split as a function of image weights."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from medxray.metrics.calibration import Calibration
from medxray.metrics.decision import Decision
from medxray.metrics.statistics import (
    AT_HALF,
    AT_PREVALENCES,
    EACH_CLASS,
    PREVALENCES,
    SPLIT,
    FigureKey,
    SplitStatistics,
)
from medxray.metrics.thresholds import OperatingPoint

STRICT = Decision(OperatingPoint(0.7, "0.7", "fixed"), Calibration(1.5, (0.0, 0.4)))


def at_once(part, decision, weights=None):
    weights = np.ones((1, len(part))) if weights is None else np.atleast_2d(weights).astype(float)
    return {name: value[0] for name, value in SplitStatistics(part, decision)(weights).items()}


def test_binary_figures_equal_scikit_learn(simulate):
    part = simulate(200)
    found, score = at_once(part, STRICT), part.score(STRICT.calibration)
    called = score >= 0.7
    assert found[FigureKey("auroc")] == pytest.approx(roc_auc_score(part.y_true, score))
    assert found[FigureKey("average_precision")] == pytest.approx(average_precision_score(part.y_true, score))
    assert found[FigureKey("brier")] == pytest.approx(brier_score_loss(part.y_true, score))
    assert found[FigureKey("nll")] == pytest.approx(log_loss(part.y_true, score))
    assert found[FigureKey("sensitivity")] == pytest.approx(called[part.is_positive].mean())
    assert found[FigureKey("sensitivity", AT_HALF)] == pytest.approx((score >= 0.5)[part.is_positive].mean())
    assert found[FigureKey("sensitivity", AT_HALF)] > found[FigureKey("sensitivity")]


def test_macro_figures_equal_scikit_learn(simulate):
    part = simulate(200, 3)
    decision = Decision(None, Calibration(2.0, (0.0, -0.5, 0.3)))
    found, probabilities = at_once(part, decision), part.probabilities(decision.calibration)
    expected = roc_auc_score(part.y_true, probabilities, multi_class="ovr", average="macro")
    assert found[FigureKey("auroc")] == pytest.approx(expected)
    assert found[FigureKey("average_precision")] == pytest.approx(
        average_precision_score(np.eye(3)[part.y_true], probabilities, average="macro")
    )
    assert found[FigureKey("brier")] == pytest.approx(
        ((probabilities - np.eye(3)[part.y_true]) ** 2).sum(axis=1).mean()
    )
    assert found[FigureKey("nll")] == pytest.approx(log_loss(part.y_true, probabilities))
    assert {key.of for key in found} == {SPLIT, EACH_CLASS}


def test_integer_weights_equal_repeated_images(simulate):
    part = simulate(60)
    weights = np.random.default_rng(0).integers(0, 3, 60)
    weighted = at_once(part, STRICT, weights)
    repeated = at_once(part.where(np.repeat(np.arange(60), weights)), STRICT)
    for name, value in weighted.items():
        np.testing.assert_allclose(value, repeated[name], err_msg=name)


def test_both_classes_have_the_same_auroc_even_where_probabilities_saturate(make_predictions):
    part = make_predictions([0, 1, 0, 1], [[0, 50], [0, 60], [0, 70], [30, 0]])
    found = at_once(part, STRICT)
    assert found[FigureKey("auroc", EACH_CLASS)][0] == found[FigureKey("auroc", EACH_CLASS)][1]
    assert found[FigureKey("auroc")] == 0.25  # ranked 1st of 50, 60, 70, -30: log-odds, where all probabilities are 1


def test_predictive_values_are_given_for_each_prevalence(simulate):
    found = at_once(simulate(100), STRICT)
    assert (
        found[FigureKey("ppv", AT_PREVALENCES)].shape
        == found[FigureKey("npv", AT_PREVALENCES)].shape
        == (len(PREVALENCES),)
    )
    assert (np.diff(found[FigureKey("ppv", AT_PREVALENCES)]) > 0).all() and (
        np.diff(found[FigureKey("npv", AT_PREVALENCES)]) < 0
    ).all()
