"""Do the probabilities mean what they say? Brier score, NLL, calibration error, reliability."""

from dataclasses import dataclass

import numpy as np

BINS = 15


def nll_terms(log_probabilities, y_true):
    """Negative log-likelihood in nats of each image, float64 array (n,), >= 0."""
    return -log_probabilities[np.arange(len(y_true)), y_true]


def brier_terms(probabilities, y_true):
    """Squared error of each image's probabilities.

    Args:
        probabilities: float array (n, K), rows sum to 1.
        y_true: int array (n,), index of the true class.

    Returns:
        float64 array (n,). Two classes: (p - y)^2 of the positive class, 0-1. More: summed over classes, 0-2.

    Source: Brier (1950); deviations: two classes are counted once, as is now usual.
    """
    squared = (probabilities - np.eye(probabilities.shape[1])[y_true]) ** 2
    return squared[:, -1] if probabilities.shape[1] == 2 else squared.sum(axis=1)


def confidence_and_outcome(probabilities, y_true):
    """What reliability compares: a probability per image and whether its event happened.

    Two classes: probability of the positive (last) class, and the image is positive. More: probability of the
    most probable class, and that class is the true one.

    Returns:
        float64 array (n,) 0-1 and bool array (n,).
    """
    if probabilities.shape[1] == 2:
        return probabilities[:, 1], np.asarray(y_true) == 1
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == y_true


@dataclass(frozen=True, eq=False)
class Reliability:
    """Bins of equal mass, in ascending order of confidence; all arrays have one entry per bin.

    Attributes:
        confidence: mean probability, 0-1.
        observed: share of images whose event happened, 0-1.
        count: images, int64.
        low: lowest probability in the bin.
        high: highest probability in the bin.
    """

    confidence: np.ndarray
    observed: np.ndarray
    count: np.ndarray
    low: np.ndarray
    high: np.ndarray


def reliability(confidence, outcome, *, bins=BINS):
    """Group images by confidence into bins of about equal size.

    Equal confidences always share a bin, so the result does not depend on the order of the images; bins that
    stay empty for that reason are left out.

    Args:
        confidence: float array (n,), 0-1, n >= 1.
        outcome: bool array (n,): the event happened.
        bins: number of bins, >= 1.

    Returns:
        Reliability.

    Source: Nguyen and O'Connor (2015), adaptive bins; deviations: ties stay together.
    """
    confidence, outcome = np.asarray(confidence, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    member = _bin_of(confidence, bins)
    count = np.bincount(member)
    low, high = np.full(len(count), np.inf), np.full(len(count), -np.inf)
    np.minimum.at(low, member, confidence)
    np.maximum.at(high, member, confidence)
    return Reliability(
        confidence=np.bincount(member, weights=confidence) / count,
        observed=np.bincount(member, weights=outcome) / count,
        count=count,
        low=low,
        high=high,
    )


def ece(confidence, outcome, *, bins=BINS):
    """Expected calibration error over bins of equal mass, 0-1.

    Args:
        confidence: float array (n,), 0-1.
        outcome: bool array (n,): the event happened.
        bins: number of bins.

    Returns:
        float: mean over images of |observed share - mean confidence| of the image's bin; nan for no images.

    Source: Naeini et al. (2015); Guo et al. (2017), eq. 3; deviations: bins of equal mass, see `reliability`.
    """
    if not len(confidence):
        return float("nan")
    table = reliability(confidence, outcome, bins=bins)
    return float(np.sum(table.count * np.abs(table.observed - table.confidence)) / table.count.sum())


def _bin_of(confidence, bins):
    """Number of the bin of each image, int64 (n,), from 0 without gaps."""
    first_rank = np.searchsorted(np.sort(confidence), confidence, side="left")
    return np.unique(first_rank * bins // len(confidence), return_inverse=True)[1]


def weighted_ece(confidence, outcome, weights, *, bins=BINS):
    """`ece` for each of several weightings of the images, whose bins are those of the images as they are.

    Args:
        confidence: float array (n,), 0-1, n >= 1.
        outcome: bool array (n,): the event happened.
        weights: float array (B, n).
        bins: number of bins.

    Returns:
        float64 array (B,), 0-1; `ece` for weights of 1.
    """
    confidence, outcome = np.asarray(confidence, np.float64), np.asarray(outcome, np.float64)
    member = _bin_of(confidence, bins)
    excess = (outcome - confidence)[:, None] * (member[:, None] == np.arange(member.max() + 1))
    return np.abs(weights @ excess).sum(axis=1) / weights.sum(axis=1)
