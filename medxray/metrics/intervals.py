"""Confidence intervals of proportions, and how an estimate is written down."""

import numpy as np
from scipy.stats import norm

LEVEL = 0.95


def wilson(successes, total, *, level=LEVEL):
    """Confidence interval of a proportion.

    Args:
        successes: number or array, 0 <= successes <= total.
        total: number or array of trials; 0 gives nan.
        level: coverage, 0-1.

    Returns:
        lower and upper bound, float64 arrays or scalars, 0-1.

    Source: Wilson (1927); deviations: none (no continuity correction).
    """
    successes, total = np.asarray(successes, dtype=np.float64), np.asarray(total, dtype=np.float64)
    z = norm.ppf(0.5 + level / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = successes / total
        centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
        half = z * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2)) / (1 + z**2 / total)
    lower = np.where(successes == 0, 0.0, centre - half)
    upper = np.where(successes == total, 1.0, centre + half)
    empty = total == 0
    return np.where(empty, np.nan, np.clip(lower, 0, 1))[()], np.where(empty, np.nan, np.clip(upper, 0, 1))[()]


def estimate(value, interval=None):
    """A value and its 95 % interval as JSON: `{"value": float or None, "ci95": [low, high] or None}`.

    What is not finite becomes None; an interval without a value is dropped.
    """
    if not np.isfinite(value):
        return {"value": None, "ci95": None}
    known = interval is not None and np.isfinite(interval).all()
    return {"value": float(value), "ci95": [float(interval[0]), float(interval[1])] if known else None}


def estimate_text(figure, *, digits=3, undefined="not defined"):
    """An estimate of a report as text: "0.971 [0.958, 0.981]", the value alone where there is no interval.

    Args:
        figure: dict with `value` and `ci95`, as `estimate` writes it.
        digits: decimal places.
        undefined: the text where there is no value.
    """
    if figure["value"] is None:
        return undefined
    numbers = [figure["value"], *(figure.get("ci95") or ())]
    value, *interval = (f"{number:z.{digits}f}" for number in numbers)
    return f"{value} [{', '.join(interval)}]" if interval else value


def wilson_by_patient(success, counted, patient_ids, *, level=LEVEL):
    """Confidence interval of a share of images, where a patient may have several.

    Wilson's interval with the number of images that would be as informative if each came from another patient: the
    variance of the share by patient says how many. Where all images agree that variance is 0 and says nothing; the
    number of patients is taken then.

    Args:
        success: bool array (n,): the image counts as a success.
        counted: bool array (n,): the image is counted at all, such as the positive ones for a sensitivity.
        patient_ids: array (n,).
        level: coverage, 0-1.

    Returns:
        (low, high), 0-1; nan where nothing is counted.

    Source: Rao and Scott (1992), A simple method for the analysis of clustered binary data, with the interval of Wilson
    (1927); deviations: never more images than there are, never fewer than one.
    """
    counted = np.asarray(counted, dtype=bool)
    success = np.asarray(success, dtype=bool)[counted]
    if not len(success):
        return float("nan"), float("nan")
    effective = effective_images(success, np.asarray(patient_ids)[counted])
    low, high = wilson(float(success.mean()) * effective, effective, level=level)
    return float(low), float(high)


def effective_images(success, patient_ids):
    """How many images of as many patients would tell a share as surely: see `wilson_by_patient`.

    Args:
        success: bool array (n,), n >= 1.
        patient_ids: array (n,).

    Returns:
        float, 1 to n; the number of patients where all images agree.
    """
    names, patient = np.unique(patient_ids, return_inverse=True)
    n, share, patients = len(success), float(np.mean(success)), len(names)
    effective = float(patients)
    if 0 < share < 1 and patients > 1:
        excess = np.bincount(patient, weights=success - share)
        variance = patients / (patients - 1) * float((excess**2).sum()) / n**2
        effective = share * (1 - share) / variance if variance > 0 else float(n)
    return min(max(effective, 1.0), float(n))


def equals_probability(value):
    """A probability with its relation sign that never claims 0 or 1: "< 0.001", "= 0.347", "> 0.999"."""
    if 0.001 <= value <= 0.999:
        return f"= {value:.3f}"
    return "< 0.001" if value < 0.5 else "> 0.999"
