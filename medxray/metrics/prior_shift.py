"""Prevalence and probabilities: weights to a prevalence, the log prior ratio, and the prevalence without labels."""

import numpy as np

from medxray.metrics.bootstrap import percentile_interval, resample_weights

_CLOSE, _MOST_STEPS = 1e-7, 5000


def shares(y_true, n_classes):
    """Share of each class among some images: float64 array (n_classes,), 0-1."""
    return np.bincount(y_true, minlength=n_classes) / len(y_true)


def weights_to(y_true, prevalence):
    """Weights of images that give their classes the shares of a prevalence.

    Args:
        y_true: int array (n,), class index; every class has an image.
        prevalence: float array (K,), above 0, sums to 1.

    Returns:
        float64 array (n,), mean 1.

    Source: Manski and Lerman (1977), weights of choice-based samples.
    """
    ratio = np.asarray(prevalence, np.float64) / shares(y_true, len(prevalence))
    return ratio[y_true]


def log_prior_ratio(new, old):
    """What is added to scores of classes when their prevalence changes and the images of each class do not.

    Args:
        new: float array (K,), prevalence of each class, above 0.
        old: the same before.

    Returns:
        float64 array (K,), log(new / old) less that of the first class; for two classes the second entry is what the
        log-odds change by.

    Source: Saerens, Latinne and Decaestecker (2002), eq. 2.4 on the scale of logarithms.
    """
    ratio = np.log(np.asarray(new, np.float64)) - np.log(np.asarray(old, np.float64))
    return ratio - ratio[0]


def em_prevalence(probabilities, prior, weights=None):
    """The prevalence of images without labels, where the images of each class are as they were.

    Args:
        probabilities: float array (n, K), what a calibrated model says, rows sum to 1.
        prior: float array (K,), the prevalence that they are calibrated for, above 0.
        weights: float array (B, n), how often each image counts; None: once.

    Returns:
        float64 array (B, K), rows sum to 1; B is 1 without weights.

    Source: Saerens, Latinne and Decaestecker (2002), eq. 2.9, the EM algorithm; deviations: it ends when no share
    moves by more than 1e-7, or after 5000 steps.
    """
    evidence = np.asarray(probabilities, np.float64) / np.asarray(prior, np.float64)
    weights = np.ones((1, len(evidence))) if weights is None else np.asarray(weights, np.float64)
    found = np.tile(np.asarray(prior, np.float64), (len(weights), 1))
    moving = np.arange(len(weights))
    for _ in range(_MOST_STEPS):
        now, counts = found[moving], weights[moving]
        better = now * ((counts / (now @ evidence.T)) @ evidence) / counts.sum(axis=1, keepdims=True)
        found[moving] = better
        moving = moving[np.abs(better - now).max(axis=1) > _CLOSE]
        if not len(moving):
            break
    return found


def prevalence_estimate(probabilities, prior, patient_ids, *, n_boot, seed=0):
    """`em_prevalence` with an interval by patient.

    Args:
        probabilities: as for `em_prevalence`.
        prior: as for `em_prevalence`.
        patient_ids: str array (n,); a patient's images are drawn together.
        n_boot: resamples.
        seed: of the resamples.

    Returns:
        (float64 array (K,), list of K (low, high), 95 % percentile intervals). The intervals cover the drawing of
        patients, not an error of the calibration.
    """
    draws = resample_weights(patient_ids, np.zeros(len(patient_ids), np.int64), n_boot=n_boot, seed=seed)
    samples = np.concatenate([em_prevalence(probabilities, prior, block) for block in draws])
    return em_prevalence(probabilities, prior)[0], [percentile_interval(column) for column in samples.T]
