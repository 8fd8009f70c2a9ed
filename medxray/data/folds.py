"""Patient-grouped, stratified folds of cross-validation. No TensorFlow."""

import logging
from dataclasses import replace

import numpy as np

from medxray.data.identical import patients_with_shared_files
from medxray.data.splits import assign_splits, shuffled_patients
from medxray.errors import DataError

log = logging.getLogger(__name__)


def fold_manifests(manifest, folds, *, seed=0):
    """The splits of a cross-validation: in each, one fold is the test split, and val is carved from the others.

    No patient is in two folds; patients who share a byte-identical file go together. Labels and subtypes are spread
    evenly. A test split that the dataset has stays out of all folds.

    Args:
        manifest: Manifest.
        folds: how many, 2 or more.
        seed: of the folds and of the validation patients.

    Returns:
        list of `folds` Manifests with splits, of the same images.

    Raises:
        DataError: a class has fewer patients than there are folds.
    """
    held = (manifest.table["split"] == "test").to_numpy()
    if held.any():
        log.warning("The test split of the data (%d images) takes no part in the cross-validation.", held.sum())
        manifest = manifest.where(~held)
    numbers = _fold_of_rows(manifest, folds, seed)
    found = []
    for number in range(folds):
        split = np.where(numbers == number, "test", "train")
        found.append(assign_splits(replace(manifest, table=manifest.table.assign(split=split)), seed=seed))
    return found


def _fold_of_rows(manifest, folds, seed):
    """Number of the fold of each row: the patients of each stratum are dealt out in turn, one stratum after another."""
    patients, labels = patients_with_shared_files(manifest), manifest.table["label"].to_numpy()
    for name in manifest.classes:
        count = len(np.unique(patients[labels == name]))
        if count < folds:
            raise DataError(
                f"{folds} folds need as many patients of each class. Class {name} has {count}. Take fewer folds."
            )
    strata = shuffled_patients(manifest, patients, np.ones(len(patients), bool), seed=seed, smallest=folds)
    dealt = [patient for members in strata.values() for patient in members]
    fold = {patient: place % folds for place, patient in enumerate(dealt)}
    return np.array([fold[patient] for patient in patients])
