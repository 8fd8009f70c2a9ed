"""Figures of merit, each for one or many weightings of the images at once.

Every function takes weights or confusion matrices with leading axes, so a bootstrap over thousands of resamples
is a few array operations and the point estimate (all weights 1) runs through the same code. What is undefined
(0 / 0) is nan.
"""

import numpy as np


def confusion(y_true, y_pred, n_classes, *, weights):
    """Weighted confusion matrices.

    Args:
        y_true: int array (n,), true class index.
        y_pred: int array (n,), predicted class index.
        n_classes: K.
        weights: float array (B, n), how often each image counts.

    Returns:
        float64 array (B, K, K): rows are true classes, columns predicted ones.
    """
    cell = np.asarray(y_true) * n_classes + np.asarray(y_pred)
    one_hot = np.zeros((len(cell), n_classes**2))
    one_hot[np.arange(len(cell)), cell] = 1.0
    return (weights @ one_hot).reshape(-1, n_classes, n_classes)


def _ratio(numerator, denominator):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator == 0, np.nan, numerator / denominator)


def one_vs_rest(matrix):
    """True and false positives and negatives of each class against the others.

    Args:
        matrix: array (..., K, K), rows true, columns predicted.

    Returns:
        tp, fp, fn, tn: arrays (..., K).
    """
    tp = np.diagonal(matrix, axis1=-2, axis2=-1)
    fp = matrix.sum(axis=-2) - tp
    fn = matrix.sum(axis=-1) - tp
    return tp, fp, fn, matrix.sum(axis=(-2, -1))[..., None] - tp - fp - fn


def class_metrics(matrix):
    """Metrics of each class against the others.

    Args:
        matrix: array (..., K, K), rows true, columns predicted.

    Returns:
        dict of arrays (..., K), 0-1 or nan: sensitivity, specificity, precision (PPV), npv, f1.
    """
    tp, fp, fn, tn = one_vs_rest(matrix)
    return {
        "sensitivity": _ratio(tp, tp + fn),
        "specificity": _ratio(tn, tn + fp),
        "precision": _ratio(tp, tp + fp),
        "npv": _ratio(tn, tn + fn),
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
    }


def accuracy(matrix):
    """Share of images on the diagonal: (..., K, K) -> (...), 0-1 or nan."""
    return _ratio(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum(axis=(-2, -1)))


def balanced_accuracy(matrix):
    """Mean sensitivity of the classes: (..., K, K) -> (...), 0-1; nan when a class has no images."""
    return class_metrics(matrix)["sensitivity"].mean(axis=-1)


def mcc(matrix):
    """Correlation between true and predicted classes.

    Args:
        matrix: array (..., K, K), rows true, columns predicted.

    Returns:
        array (...), -1 to 1; nan when all images are of one class or all are called the same.

    Source: Matthews (1975) for two classes, Gorodkin (2004) for more; deviations: none.
    """
    true, predicted, total = matrix.sum(axis=-1), matrix.sum(axis=-2), matrix.sum(axis=(-2, -1))
    correct = np.trace(matrix, axis1=-2, axis2=-1)
    covariance = correct * total - (true * predicted).sum(axis=-1)
    spread_true = total**2 - (true**2).sum(axis=-1)
    spread_predicted = total**2 - (predicted**2).sum(axis=-1)
    return _ratio(covariance, np.sqrt(spread_true * spread_predicted))


def ppv_npv(sensitivity, specificity, prevalence):
    """Predictive values that a test would have at another prevalence, by Bayes' theorem.

    Args:
        sensitivity: number or array, 0-1.
        specificity: number or array, 0-1.
        prevalence: share of sick among those tested, 0-1.

    Returns:
        ppv, npv: arrays, 0-1 or nan.
    """
    sick_positive, healthy_positive = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    healthy_negative, sick_negative = specificity * (1 - prevalence), (1 - sensitivity) * prevalence
    ppv = _ratio(sick_positive, sick_positive + healthy_positive)
    return ppv, _ratio(healthy_negative, healthy_negative + sick_negative)


class Ranking:
    """Images sorted by score once, so that areas under curves can be had for many weightings."""

    def __init__(self, is_positive, score):
        """Sort the images.

        Args:
            is_positive: bool array (n,).
            score: float array (n,), higher means more likely positive; equal scores are ties.
        """
        score = np.asarray(score, dtype=np.float64)
        self._order = np.argsort(score, kind="stable")
        ordered = score[self._order]
        self._starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(score) else np.array([], int)
        self._positive = np.asarray(is_positive, dtype=np.float64)[self._order]

    def areas(self, weights):
        """Area under the ROC curve and average precision, ties handled exactly.

        Args:
            weights: float array (B, n), how often each image counts.

        Returns:
            auroc, average_precision: float64 arrays (B,), 0-1; nan where a class has no weight.

        Source: Hanley and McNeil (1982) for the AUROC as P(positive > negative) + P(equal) / 2; average precision
        is the sum over distinct scores of precision times the gain in recall, without interpolation.
        """
        if not len(self._order):
            return np.full(len(weights), np.nan), np.full(len(weights), np.nan)
        ordered = weights[:, self._order]
        positive, total = self._by_score(ordered * self._positive), self._by_score(ordered)
        negative = total - positive
        n_positive, n_negative = positive.sum(axis=1), negative.sum(axis=1)
        below = np.cumsum(negative, axis=1)
        wins = ((below - negative / 2) * positive).sum(axis=1)
        tp = n_positive[:, None] - np.cumsum(positive, axis=1) + positive
        called = tp + n_negative[:, None] - below + negative
        precision = np.divide(tp, called, out=np.zeros_like(tp), where=called > 0)
        average_precision = _ratio((precision * positive).sum(axis=1), n_positive)
        return _ratio(wins, n_positive * n_negative), np.where(n_negative == 0, np.nan, average_precision)

    def _by_score(self, values):
        untied = len(self._starts) == values.shape[1]
        return values if untied else np.add.reduceat(values, self._starts, axis=1)
