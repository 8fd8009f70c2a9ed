"""The mean of a figure over images, with an interval by patient."""

import numpy as np

from medxray.metrics.bootstrap import bootstrap, percentile_interval, resampling_obstacle
from medxray.metrics.intervals import estimate


def mean_by_patient(values, patient_ids, y_true, *, seed=0):
    """Mean over images with its 95 % interval; of differences within images it is the paired interval.

    Args:
        values: float array (n,); nan leaves an image out.
        patient_ids: str array (n,).
        y_true: int array (n,), class index; patients are resampled within classes.
        seed: of the resamples.

    Returns:
        dict: value, ci95 (None with too few images or patients), as `intervals.estimate` writes it.
    """
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    values, patient_ids, y_true = values[known], np.asarray(patient_ids)[known], np.asarray(y_true)[known]
    if not len(values):
        return estimate(np.nan)
    if resampling_obstacle(patient_ids, y_true) is not None:
        return estimate(values.mean())

    def mean(weights):
        return {"mean": weights @ values / weights.sum(axis=1)}

    interval = percentile_interval(bootstrap(mean, patient_ids, y_true, seed=seed)["mean"])
    return estimate(values.mean(), interval)


def difference_by_patient(values, is_first, patient_ids, *, seed=0):
    """Mean over one group of images less the mean over the others, with its 95 % interval.

    Args:
        values: float array (n,); nan leaves an image out.
        is_first: bool array (n,): the image is of the first group.
        patient_ids: str array (n,); patients are resampled within groups, those with images in both apart.
        seed: of the resamples.

    Returns:
        dict: value (None where a group has no image), ci95 (None with too few images or patients).
    """
    values, is_first = np.asarray(values, np.float64), np.asarray(is_first, bool)
    known = np.isfinite(values)
    values, is_first, patient_ids = values[known], is_first[known], np.asarray(patient_ids)[known]
    if is_first.all() or not is_first.any():
        return estimate(np.nan)

    def difference(weights):
        means = []
        for group in (is_first, ~is_first):
            total = weights[:, group].sum(axis=1)
            mean = np.full(len(weights), np.nan)
            np.divide(weights[:, group] @ values[group], total, out=mean, where=total > 0)
            means.append(mean)
        return {"difference": means[0] - means[1]}

    value = difference(np.ones((1, len(values))))["difference"][0]
    groups = is_first.astype(int)
    if resampling_obstacle(patient_ids, groups) is not None:
        return estimate(value)
    return estimate(value, percentile_interval(bootstrap(difference, patient_ids, groups, seed=seed)["difference"]))
