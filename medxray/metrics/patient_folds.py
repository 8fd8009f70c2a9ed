"""Folds of a labelled sample that keep patients together and spread the classes."""

import numpy as np

from medxray.metrics.bootstrap import strata


def patient_folds(patient_ids, y_true, folds, *, seed=0):
    """Deal patients out to folds, one class after another.

    Args:
        patient_ids: str array (n,).
        y_true: int array (n,), class index; patients with several classes are dealt out last.
        folds: how many, 2 or more.
        seed: of the order of the patients.

    Returns:
        int64 array (n,), number of the fold of each image; all images of a patient are in one.
    """
    patient, stratum = strata(patient_ids, y_true)
    rng, dealt = np.random.default_rng(seed), []
    for value in sorted(set(stratum.tolist()), key=lambda value: (value < 0, value)):
        dealt += rng.permutation(np.flatnonzero(stratum == value)).tolist()
    fold = np.empty(len(stratum), np.int64)
    fold[dealt] = np.arange(len(dealt)) % folds
    return fold[patient]
