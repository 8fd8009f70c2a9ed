"""Class weights."""

import numpy as np


def balanced_class_weights(labels, classes):
    """Weights that give every class the same share of the loss.

    Args:
        labels: int array (n,), indices into classes.
        classes: number of classes K.

    Returns:
        float32 array (K,): n / (K * images of the class); a class without images gets 0.
        Source: King and Zeng (2001), Logistic regression in rare events data, eq. 8-9 with a uniform population.
    """
    counts = np.bincount(labels, minlength=classes)
    return np.divide(len(labels), classes * counts, out=np.zeros(classes), where=counts > 0).astype(np.float32)
