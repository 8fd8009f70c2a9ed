"""How well scores of images give their classes: AUROC and balanced accuracy with intervals by patient."""

import numpy as np

from medxray.metrics.bootstrap import bootstrap, percentile_interval, resampling_obstacle
from medxray.metrics.clustered import auroc_estimate, mean_auroc_estimate
from medxray.metrics.intervals import estimate
from medxray.metrics.metrics import balanced_accuracy, confusion


def label_estimates(y_true, scores, patient_ids, *, y_pred=None, seed=0):
    """AUROC and balanced accuracy as JSON.

    Args:
        y_true: int array (n,), class index.
        scores: float array (n,K), higher means more likely.
        patient_ids: str array (n,).
        y_pred: int array (n,), class index; None: the class with the highest score.
        seed: of the resamples.

    Returns:
        dict: auroc (with three or more classes the mean, each against the others) and balanced_accuracy, each with
        value and ci95, as `intervals.estimate` writes them.
    """
    y_true, scores = np.asarray(y_true), np.asarray(scores, np.float64)
    y_pred = scores.argmax(axis=1) if y_pred is None else np.asarray(y_pred)
    if scores.shape[1] == 2:
        auroc = auroc_estimate(y_true == 1, scores[:, 1], patient_ids)
    else:
        auroc = mean_auroc_estimate(y_true, scores, patient_ids)
    return {"auroc": auroc, "balanced_accuracy": _balanced(y_true, y_pred, scores.shape[1], patient_ids, seed)}


def _balanced(y_true, y_pred, classes, patient_ids, seed):
    def figure(weights):
        return {"figure": balanced_accuracy(confusion(y_true, y_pred, classes, weights=weights))}

    value = figure(np.ones((1, len(y_true))))["figure"][0] if len(y_true) else np.nan
    if not np.isfinite(value) or resampling_obstacle(patient_ids, y_true) is not None:
        return estimate(value)
    return estimate(value, percentile_interval(bootstrap(figure, patient_ids, y_true, seed=seed)["figure"]))
