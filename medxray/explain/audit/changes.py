"""How many answers a change of the images moves. No TensorFlow."""

import numpy as np

from medxray.metrics.shares import share


def change_figures(before, after, known, *, labels, patients, classes):
    """Share of the images whose predicted class is another one after a change, as JSON.

    Args:
        before: int array (n,), class index predicted for the unchanged images.
        after: int array (n,), that for the changed images.
        known: bool array (n,): the image was changed.
        labels: int array (n,), true class index.
        patients: str array (n,).
        classes: names of the classes.

    Returns:
        dict: value and ci95 (by patient, see `intervals.wilson_by_patient`), n images and how many changed, and
        by_class, the same (without interval) for the images of each true class.
    """
    moved = (before != after) & known
    found = share(moved, known, patients)
    by_class = {}
    for index, name in enumerate(classes):
        members = known & (labels == index)
        by_class[name] = {"n": int(members.sum()), "changed": int((moved & members).sum())}
    return {
        "value": found["value"],
        "ci95": found["ci95"],
        "n": int(np.sum(known)),
        "changed": int(moved.sum()),
        "by_class": by_class,
    }
