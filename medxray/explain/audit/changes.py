"""How many answers a change of the images moves. No TensorFlow."""

import numpy as np

from medxray.metrics.shares import share


def change_figures(before, after, known, *, labels, patients, classes):
    """Share of the images whose predicted class is another one after a change, the mean over its versions, as JSON.

    Args:
        before: int array (n,), class index predicted for the unchanged images.
        after: int array (v,n), that for v changed versions of each image.
        known: bool array (n,): the image was changed.
        labels: int array (n,), true class index.
        patients: str array (n,).
        classes: names of the classes.

    Returns:
        dict: value and ci95 (by patient, see `intervals.wilson_by_patient`), n images and how many changed (of several
        versions the mean), and by_class, the same (without interval) for the images of each true class.
    """
    moved, versions = (before != after) & known, len(after)
    found = share(moved.ravel(), np.tile(known, versions), np.tile(patients, versions))
    by_class = {}
    for index, name in enumerate(classes):
        members = known & (labels == index)
        by_class[name] = {"n": int(members.sum()), "changed": _mean_count(moved & members)}
    return {
        "value": found["value"],
        "ci95": found["ci95"],
        "n": int(np.sum(known)),
        "changed": _mean_count(moved),
        "by_class": by_class,
    }


def _mean_count(moved):
    """How many images of a version are moved, (v,n): int of one version, else the mean of all."""
    return int(moved.sum()) if len(moved) == 1 else float(moved.sum() / len(moved))
