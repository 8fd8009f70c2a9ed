"""Reliability, score histograms and decision curve."""

import dataclasses

import numpy as np
import pytest

from medxray.metrics.calibration import Calibration
from medxray.metrics.reliability import ece
from medxray.metrics.report import evaluate_split
from medxray.plots.probabilities import DecisionCurveDisplay, ReliabilityDisplay, ScoreHistogramDisplay


def test_reliability_shows_both_curves_and_all_images(evaluated):
    predictions, decision, report = evaluated()
    display = ReliabilityDisplay.from_predictions(predictions, decision, report=report)
    assert display.before.count.sum() == display.after.count.sum() == 120
    figure = display.plot()
    legend = " ".join(text.get_text() for text in figure.axes[0].get_legend().get_texts())
    outcome = predictions.is_positive
    assert f"not calibrated: ECE {ece(predictions.raw_probabilities[:, 1], outcome):.3f}" in legend
    assert f" calibrated: ECE {ece(predictions.score(decision.calibration), outcome):.3f}" in legend
    assert sum(patch.get_height() for patch in figure.axes[1].patches) == 120


def test_score_histogram_counts_every_image_and_both_sides_of_the_threshold(evaluated):
    predictions, decision, report = evaluated()
    figure = ScoreHistogramDisplay.from_predictions(predictions, decision, report=report).plot()
    (tn, fp), (fn, tp) = report["confusion_matrix"]
    upper, lower = ([text.get_text() for text in axes.texts] for axes in figure.axes)
    assert upper == [f"{tn:,} true negatives", f"{fp:,} false positives"]
    assert lower == [f"{fn:,} false negatives", f"{tp:,} true positives"]
    for axes, count in zip(figure.axes, np.bincount(predictions.y_true), strict=True):
        assert sum(patch.get_height() for patch in axes.patches) == count


@pytest.mark.parametrize("display", [ReliabilityDisplay, ScoreHistogramDisplay])
@pytest.mark.parametrize(
    ("calibration", "words"),
    [(Calibration(), "probability of PNEUMONIA (not calibrated)"), (Calibration(2.0), "calibrated probability of")],
)
def test_the_axis_says_whether_probabilities_are_calibrated(evaluated, display, calibration, words):
    predictions, decision, _ = evaluated()
    decision = dataclasses.replace(decision, calibration=calibration)
    report = evaluate_split(predictions, decision, n_boot=40)
    figure = display.from_predictions(predictions, decision, report=report).plot()
    assert words in figure.axes[-1].get_xlabel()
    if display is ReliabilityDisplay:
        drawn = [text.get_text().partition(":")[0] for text in figure.axes[0].get_legend().get_texts()]
        both = ["perfect calibration", "not calibrated", "calibrated"]
        assert drawn == (both[:2] if calibration.is_identity else both)


def test_decision_curve_starts_at_the_prevalence(evaluated):
    predictions, decision, report = evaluated()
    display = DecisionCurveDisplay.from_predictions(predictions, decision, report=report)
    assert display.curve.treat_all[0] == pytest.approx(0.5 - 0.5 * 0.01 / 0.99)
    labels = display.plot().axes[0].get_legend_handles_labels()[1]
    assert labels == ["treat everybody", "treat nobody", "treat those the model calls", "threshold in use 0.3"]


LONG = ("a rather long name of a class, first", "a rather long name of a class, second", "a third class")


@pytest.mark.parametrize("display", [ReliabilityDisplay, ScoreHistogramDisplay, DecisionCurveDisplay])
@pytest.mark.parametrize(
    "options", [{}, {"skill": 6.0}, {"n": 3, "y_true": [0, 1, 1]}, {"classes": LONG[:2]}, {"classes": LONG}]
)
def test_texts_do_not_collide(evaluated, colliding_texts, display, options):
    predictions, decision, report = evaluated(**options)
    if display is DecisionCurveDisplay and not predictions.is_binary:
        with pytest.raises(ValueError, match="two classes only"):
            display.from_predictions(predictions, decision, report=report)
        return
    assert colliding_texts(display.from_predictions(predictions, decision, report=report).plot()) == []
