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
