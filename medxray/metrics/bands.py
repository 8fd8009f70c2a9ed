"""Bands around ROC and precision-recall curves, by resampling patients."""

from dataclasses import dataclass

import numpy as np

from medxray.metrics.bootstrap import MAX_UNDEFINED, N_BOOT, resample_weights, resampling_obstacle

FALSE_POSITIVE_RATES = np.linspace(0.0, 1.0, 101)
RECALLS = np.linspace(0.01, 1.0, 100)


@dataclass(frozen=True, eq=False)
class Band:
    """A band of pointwise 95 % intervals around a curve; float64 arrays (m,), 0-1.

    Attributes:
        x: where the curve is looked at: false positive rate, or recall.
        low: lower bound of sensitivity, or of precision, there.
        high: upper bound there.
    """

    x: np.ndarray
    low: np.ndarray
    high: np.ndarray


def curve_bands(is_positive, score, patient_ids, y_true, *, n_boot=N_BOOT, seed=0):
    """Bands of the ROC and the precision-recall curve of one class against the others.

    Each resample of patients gives a curve of its own. The bounds at a false positive rate (a recall) are quantiles of
    the sensitivities (the precisions) of these curves there: the intervals are pointwise, not of the whole curve.

    Args:
        is_positive: bool array (n,).
        score: float array (n,), higher means more likely positive.
        patient_ids: str array (n,); images with the same id are resampled together.
        y_true: int array (n,), class index: resampled within strata as `bootstrap.strata` says.
        n_boot: resamples.
        seed: of the resamples.

    Returns:
        (Band of the ROC curve, Band of the precision-recall curve); None where resampling would say nothing.

    Source: Fawcett (2006), sec. 7.1, vertical averaging; deviations: quantiles over a patient-cluster bootstrap.
    """
    is_positive = np.asarray(is_positive, dtype=bool)
    if resampling_obstacle(patient_ids, y_true) is not None or is_positive.all() or not is_positive.any():
        return None
    order, starts = _ranks(score)
    sensitivities, precisions = [], []
    for weights in resample_weights(patient_ids, y_true, n_boot=n_boot, seed=seed):
        for tp, fp in zip(*_cumulative(weights[:, order], is_positive[order], starts), strict=True):
            if tp[-1] and fp[-1]:
                sensitivities.append(sensitivity_at(FALSE_POSITIVE_RATES, tp, fp))
                precisions.append(precision_at(RECALLS, tp, fp))
    if len(sensitivities) < (1 - MAX_UNDEFINED) * n_boot:
        return None
    return _band(FALSE_POSITIVE_RATES, sensitivities), _band(RECALLS, precisions)


def sensitivity_at(rates, tp, fp):
    """Highest sensitivity at some false positive rates, straight between the points of the curve.

    Args:
        rates: float array (m,), ascending, 0-1.
        tp: float array (k,), true positives down to each distinct score, the highest first; the last is above 0.
        fp: float array (k,), false positives, likewise.

    Returns:
        float64 array (m,).
    """
    return np.interp(rates, np.append(0.0, fp / fp[-1]), np.append(0.0, tp / tp[-1]))


def precision_at(recalls, tp, fp):
    """Precision at the first point of the curve whose recall is at least each of `recalls`, which are above 0.

    Other arguments and result as of `sensitivity_at`.
    """
    first = np.searchsorted(tp / tp[-1], np.asarray(recalls) * (1 - 1e-12), side="left")
    return tp[first] / (tp + fp)[first]


def _ranks(score):
    """Order of the images, highest score first, and where in it each distinct score begins."""
    score = np.asarray(score, dtype=np.float64)
    order = np.argsort(-score, kind="stable")
    sorted_scores = score[order]
    return order, np.flatnonzero(np.append(True, sorted_scores[1:] != sorted_scores[:-1]))


def _cumulative(weights, positive, starts):
    """True and false positives of weighted images, two float64 arrays (B, k)."""
    parts = (weights * positive, weights * ~positive)
    return tuple(np.cumsum(np.add.reduceat(part, starts, axis=1), axis=1) for part in parts)


def _band(x, curves):
    low, high = np.quantile(np.stack(curves), [0.025, 0.975], axis=0)
    return Band(x, low, high)
