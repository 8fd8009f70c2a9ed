"""Which images of a sample make a group, and which groups are compared. No TensorFlow."""

import numpy as np

CORRECT, WRONG = "correct", "wrong"
LEAST_IMAGES = 5  # of a group, for a mean map


def groups_of(classes, labels, subtypes, predicted):
    """The groups of a sample: its classes, its subtypes, right and wrong predictions.

    Args:
        classes: names of the classes.
        labels: int array (n,), class index.
        subtypes: list of n texts; "" where none is known.
        predicted: int array (n,), class index.

    Returns:
        dict name -> bool array (n,), members of the group. A subtype that is called like a class is no group of its
        own. Groups without members are there, too.
    """
    found = {name: labels == index for index, name in enumerate(classes)}
    subtypes = np.array(subtypes, dtype=str)
    for name in sorted(set(subtypes.tolist()) - {""} - {CORRECT, WRONG} - set(classes)):
        found[name] = subtypes == name
    return found | {CORRECT: labels == predicted, WRONG: labels != predicted}


def comparisons_of(classes):
    """The pairs of groups that are compared, list of (first, second): each class with the first one, wrong with right.

    With two classes the second one is the positive class.
    """
    return [*((name, classes[0]) for name in classes[1:]), (WRONG, CORRECT)]


def too_few(members):
    """Why a group (bool array) has no mean map, or "" where it has enough images."""
    count = int(np.sum(members))
    if not count:
        return "no image"
    return f"{count} image{'' if count == 1 else 's'}, fewer than {LEAST_IMAGES}" if count < LEAST_IMAGES else ""
