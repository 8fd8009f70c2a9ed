"""Is acting on the model better than treating everybody or nobody? Decision curve analysis."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit over threshold probabilities; all arrays (m,).

    Attributes:
        threshold: threshold probability, above 0 and below 1.
        model: net benefit per image of treating those at or above the threshold, in true positives per image.
        treat_all: net benefit of treating everybody; treating nobody has 0.
    """

    threshold: np.ndarray
    model: np.ndarray
    treat_all: np.ndarray


def decision_curve(is_positive, score, *, thresholds=None):
    """Net benefit of a calibrated model.

    Args:
        is_positive: bool array (n,), n >= 1.
        score: float array (n,), calibrated probability of the positive class.
        thresholds: float array (m,), above 0 and below 1; default 0.01 to 0.99 in steps of 0.01.

    Returns:
        DecisionCurve.

    Raises:
        ValueError: there is no image or a threshold is not between 0 and 1.

    Source: Vickers and Elkin (2006): TP/n - FP/n * t/(1-t); deviations: none.
    """
    is_positive, score = np.asarray(is_positive, dtype=bool), np.asarray(score, dtype=np.float64)
    threshold = np.linspace(0.01, 0.99, 99) if thresholds is None else np.asarray(thresholds, dtype=np.float64)
    if not len(score) or not ((threshold > 0) & (threshold < 1)).all():
        raise ValueError("A decision curve needs one or more images and thresholds between 0 and 1.")
    odds = threshold / (1 - threshold)
    tp = _at_or_above(score[is_positive], threshold) / len(score)
    fp = _at_or_above(score[~is_positive], threshold) / len(score)
    prevalence = is_positive.mean()
    return DecisionCurve(threshold, tp - fp * odds, prevalence - (1 - prevalence) * odds)


def _at_or_above(score, threshold):
    return len(score) - np.searchsorted(np.sort(score), threshold, side="left")
