"""Shares of images such as sensitivity and precision, with intervals by patient."""

import numpy as np

from medxray.metrics.intervals import estimate, wilson, wilson_by_patient

PROPORTIONS = ("sensitivity", "specificity", "precision", "npv")


def share(success, counted, patient_ids):
    """A share of images as JSON.

    Args:
        success: bool array (n,): the image counts as a success.
        counted: bool array (n,): the image is counted at all.
        patient_ids: array (n,).

    Returns:
        dict: value; ci95, by patient, see `intervals.wilson_by_patient`; ci95_by_image, which takes images as
        independent (Wilson); ci95_by_patient, the same as ci95. Nulls where nothing is counted.
    """
    total, successes = int(np.sum(counted)), int(np.sum(np.asarray(success) & np.asarray(counted)))
    value = successes / total if total else np.nan
    found = estimate(value, wilson_by_patient(success, counted, patient_ids))
    by_image = estimate(value, wilson(successes, total))["ci95"]
    return found | {"ci95_by_image": by_image, "ci95_by_patient": found["ci95"]}


def shares_of_class(y_true, y_pred, k, patient_ids):
    """The PROPORTIONS of class k against the others.

    Args:
        y_true: int array (n,), true class index.
        y_pred: int array (n,), predicted class index.
        k: the class.
        patient_ids: array (n,).

    Returns:
        dict name -> share.
    """
    is_class, called = np.asarray(y_true) == k, np.asarray(y_pred) == k
    return {
        "sensitivity": share(called, is_class, patient_ids),
        "specificity": share(~called, ~is_class, patient_ids),
        "precision": share(is_class, called, patient_ids),
        "npv": share(~is_class, ~called, patient_ids),
    }


def accuracy(y_true, y_pred, patient_ids):
    """Share of images with the right label."""
    correct = np.asarray(y_true) == np.asarray(y_pred)
    return share(correct, np.ones(len(correct), bool), patient_ids)
