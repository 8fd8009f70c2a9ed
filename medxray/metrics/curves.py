"""Points of ROC and precision-recall curves."""

import numpy as np


def _cumulative(is_positive, score):
    """True and false positives (int64) when everything at or above each distinct score, descending, is called."""
    values, group = np.unique(-np.asarray(score, dtype=np.float64), return_inverse=True)
    positives = np.bincount(group, weights=np.asarray(is_positive, dtype=np.float64), minlength=len(values))
    total = np.bincount(group, minlength=len(values))
    return np.cumsum(positives), np.cumsum(total - positives)


def roc_points(is_positive, score):
    """The ROC curve through every distinct score.

    Args:
        is_positive: bool array (n,) with both kinds of images.
        score: float array (n,), higher means more likely positive.

    Returns:
        fpr, tpr: float64 arrays from (0, 0) to (1, 1); straight lines between them.

    Raises:
        ValueError: all images are of one kind.
    """
    tp, fp = _cumulative(is_positive, score)
    if not len(tp) or not tp[-1] or not fp[-1]:
        raise ValueError("A ROC curve needs positive and negative images.")
    return np.append(0.0, fp / fp[-1]), np.append(0.0, tp / tp[-1])


def precision_recall_points(is_positive, score):
    """The precision-recall curve at every distinct score.

    Args:
        is_positive: bool array (n,) with one positive image or more.
        score: float array (n,), higher means more likely positive.

    Returns:
        recall, precision: float64 arrays, recall ascending from 0; to be drawn as steps, without interpolation.

    Raises:
        ValueError: there is no positive image.

    Source: Davis and Goadrich (2006) on why the points must not be joined by straight lines; deviations: none.
    """
    tp, fp = _cumulative(is_positive, score)
    if not len(tp) or not tp[-1]:
        raise ValueError("A precision-recall curve needs positive images.")
    precision = tp / (tp + fp)
    return np.append(0.0, tp / tp[-1]), np.append(precision[0], precision)
