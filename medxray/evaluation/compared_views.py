"""Validation images whose shifted views make the operating point that stands beside that on unchanged images."""

import numpy as np

from medxray.evaluation.shift_sample import patients_in_order, rows_of
from medxray.metrics.decision import enough_images

MOST_IMAGES = 400  # for a decision that is shown and not used


def rows_to_compare(validation, most=MOST_IMAGES):
    """Rows of a seeded sample of patients, in the proportions of the classes, who have no more images than allowed.

    Args:
        validation: `Predictions` of the unchanged validation images.
        most: how many images at most.

    Returns:
        int64 array, rising; empty where a class has too few images for a decision.
    """
    rows = rows_of(validation, patients_in_order(validation)) if len(validation) else np.zeros(0, np.int64)
    if len(rows) > most:
        patients = validation.patient_ids[rows]
        rows = rows[: np.flatnonzero(patients == patients[most])[0]]
    return np.sort(rows) if enough_images(validation.where(rows)) else rows[:0]
