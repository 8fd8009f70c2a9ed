"""A shrunk Gaussian of some rows: what the gate knows about a description of the training images. No TensorFlow."""

from dataclasses import dataclass

import numpy as np
from sklearn.covariance import LedoitWolf


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean and whitening of a d-dimensional distribution.

    Attributes:
        mean: float32 array (d,).
        whitening: float32 array (d, d), W with W W' = inverse covariance; row vectors are multiplied from the left.
    """

    mean: np.ndarray
    whitening: np.ndarray


def fit_gaussian(rows, *, blur=0.0):
    """Fit a Gaussian with a shrunk covariance.

    Args:
        rows: float array (n, d), n >= 2, finite.
        blur: standard deviation, in the unit of the rows, that is added to every direction, so that differences
            below it do not count even where the rows do not differ at all.

    Returns:
        Gaussian.

    Source: Ledoit and Wolf (2004), A well-conditioned estimator for large-dimensional covariance matrices, as
    scikit-learn computes it; deviations: `blur` squared is added to the diagonal, and at least a millionth of the mean
    variance, so that the inverse exists when all rows are equal.
    """
    rows = np.asarray(rows, np.float64)
    covariance = LedoitWolf().fit(rows).covariance_
    least = max(blur**2, 1e-6 * np.trace(covariance) / len(covariance), 1e-12)
    values, vectors = np.linalg.eigh(covariance + least * np.eye(len(covariance)))
    whitening = vectors / np.sqrt(np.maximum(values, least))
    return Gaussian(rows.mean(axis=0).astype(np.float32), whitening.astype(np.float32))
