"""Confidence intervals by resampling patients, not images."""

import numpy as np

from medxray.system import progress

N_BOOT = 2000
MAX_UNDEFINED = 0.05
MIN_IMAGES, MIN_PATIENTS = 10, 2
_CHUNK_CELLS = 1_000_000


def strata(patient_ids, y_true):
    """Patients and the stratum each is resampled in.

    All images of a patient are of one class: the stratum is that class. Patients with images of several classes
    form a stratum of their own, so a resample keeps the number of patients of each kind.

    Args:
        patient_ids: str array (n,).
        y_true: int array (n,), class index.

    Returns:
        patient: int64 array (n,), index of each image's patient.
        stratum: int64 array (patients,): the class index, or -1 for patients with several classes.
    """
    names, patient = np.unique(patient_ids, return_inverse=True)
    lowest = np.full(len(names), np.iinfo(np.int64).max)
    highest = np.full(len(names), -1)
    np.minimum.at(lowest, patient, y_true)
    np.maximum.at(highest, patient, y_true)
    return patient, np.where(lowest == highest, highest, -1)


def resampling_obstacle(patient_ids, y_true):
    """Why resampling would say nothing about the uncertainty, as a sentence; None when it can be done.

    It needs `MIN_IMAGES` images, and `MIN_PATIENTS` patients with images of each class that occurs.
    """
    if len(y_true) < MIN_IMAGES:
        return f"{MIN_IMAGES} images are needed and there are {len(y_true)}"
    for label in np.unique(y_true):
        patients = len(np.unique(patient_ids[y_true == label]))
        if patients < MIN_PATIENTS:
            return f"{MIN_PATIENTS} patients of each class are needed and one class has {patients}"
    return None


def resample_weights(patient_ids, y_true, *, n_boot=N_BOOT, seed=0):
    """Draw patient-cluster stratified bootstrap resamples.

    Within each stratum as many patients are drawn, with replacement, as it has; an image's weight is the number
    of times its patient was drawn.

    Args:
        patient_ids: str array (n,).
        y_true: int array (n,), class index.
        n_boot: number of resamples.
        seed: of the random draws.

    Yields:
        float64 arrays (rows, n), together `n_boot` rows, in blocks that keep memory small.

    Source: Rutter (2000) for resampling patients with all their images, Davison and Hinkley (1997), sec. 3.2, for
    resampling within strata; deviations: patients with several classes are a stratum of their own.
    """
    rng = np.random.default_rng(seed)
    patient, stratum = strata(patient_ids, y_true)
    members = [np.flatnonzero(stratum == value) for value in np.unique(stratum)]
    rows_per_block = max(1, _CHUNK_CELLS // max(1, len(patient)))
    for start in range(0, n_boot, rows_per_block):
        rows = min(rows_per_block, n_boot - start)
        drawn = np.zeros((rows, len(stratum)))
        for patients in members:
            drawn[:, patients] = _draw_counts(rng, rows, len(patients))
        yield drawn[:, patient]


def _draw_counts(rng, rows, size):
    """How often each of `size` patients is drawn in `size` draws with replacement, (rows, size)."""
    draws = rng.integers(0, size, size=(rows, size)) + np.arange(rows)[:, None] * size
    return np.bincount(draws.ravel(), minlength=rows * size).reshape(rows, size)


def bootstrap(statistic, patient_ids, y_true, *, n_boot=N_BOOT, seed=0):
    """Distribution of one or more statistics over resamples.

    Args:
        statistic: function of weights (B, n) that returns a dict of arrays (B, ...).
        patient_ids: str array (n,).
        y_true: int array (n,), class index.
        n_boot: number of resamples.
        seed: of the random draws.

    Returns:
        dict of arrays (n_boot, ...), with the keys of `statistic`.
    """
    weights = progress.counted(resample_weights(patient_ids, y_true, n_boot=n_boot, seed=seed), n_boot, "Intervals")
    blocks = [statistic(block) for block in weights]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def percentile_interval(samples):
    """95 % percentile interval of resampled values.

    Args:
        samples: float array (n_boot,); nan where the statistic was undefined in a resample.

    Returns:
        (low, high), or None when more than `MAX_UNDEFINED` of the resamples are undefined.

    Source: Efron (1979, 1981), percentile method; deviations: undefined resamples are left out.
    """
    undefined = np.isnan(samples)
    if not len(samples) or undefined.mean() > MAX_UNDEFINED:
        return None
    low, high = np.quantile(samples[~undefined], [0.025, 0.975])
    return float(low), float(high)
