"""Shares and means in which each patient counts once, whatever the number of its images."""

import numpy as np
from scipy.stats import t as student

from medxray.metrics.intervals import LEVEL, estimate, wilson


def patient_weights(patient_ids):
    """What an image counts, so that those of a patient count as one together: float64 array (n,)."""
    names, patient = np.unique(np.asarray(patient_ids), return_inverse=True)
    return (1.0 / np.bincount(patient, minlength=len(names)))[patient] if len(names) else np.zeros(0)


def patient_share(success, counted, patient_ids):
    """A share in which each patient has the same weight, which its images share, as JSON.

    The interval is Wilson's with the number of patients that would be as informative if each had one image that is
    counted: the variance of the share by patient says how many. Where all agree it is the number of patients counted.

    Args:
        success: bool array (n,): the image counts as a success.
        counted: bool array (n,): the image is counted at all. Those that are not still have their part of the weight.
        patient_ids: array (n,).

    Returns:
        dict: value and ci95, None where nothing is counted.

    Source: as for `intervals.wilson_by_patient`, with weights; the variance of a ratio is linearised (Cochran 1977,
    section 6.4).
    """
    counted = np.asarray(counted, dtype=bool)
    weights = patient_weights(patient_ids)[counted]
    if not len(weights):
        return estimate(np.nan)
    success = np.asarray(success, dtype=bool)[counted]
    names, patient = np.unique(np.asarray(patient_ids)[counted], return_inverse=True)
    total, patients = weights.sum(), len(names)
    share = 1.0 if success.all() else float(weights @ success / total)
    effective = float(patients)
    if 0 < share < 1 and patients > 1:
        excess = np.bincount(patient, weights=weights * (success - share))
        variance = patients / (patients - 1) * float((excess**2).sum()) / total**2
        effective = share * (1 - share) / variance if variance > 0 else effective
    effective = min(max(effective, 1.0), float(patients))
    return estimate(share, wilson(share * effective, effective))


def patient_mean(values, patient_ids):
    """The mean over patients of the means over their images, with a t interval over patients, as JSON.

    Args:
        values: float array (n,).
        patient_ids: array (n,).

    Returns:
        dict: value; ci95, None with fewer than two patients or where all agree.
    """
    values = np.asarray(values, dtype=np.float64)
    if not len(values):
        return estimate(np.nan)
    names, patient = np.unique(np.asarray(patient_ids), return_inverse=True)
    means = np.bincount(patient, weights=values) / np.bincount(patient)
    value, deviation = float(means.mean()), float(means.std(ddof=1)) if len(names) > 1 else 0.0
    if not deviation:
        return estimate(value)
    half = student.ppf(0.5 + LEVEL / 2, len(names) - 1) * deviation / np.sqrt(len(names))
    return estimate(value, (max(value - half, values.min()), min(value + half, values.max())))
