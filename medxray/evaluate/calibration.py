"""Do the probabilities mean what they say? Temperature scaling, calibration errors, reliability."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.1, 10.0
BINS = 15
_AT_BOUND = 1e-3


def fit_temperature(logits, y_true):
    """Fit the one number that the logits are divided by, by maximum likelihood.

    Args:
        logits: float array (n, K), n >= 1.
        y_true: int array (n,), index of the true class.

    Returns:
        float between `MIN_TEMPERATURE` and `MAX_TEMPERATURE`; above 1 the model was overconfident. 1.0 when every
        image has its highest logit at the true class: the likelihood then has no maximum, it grows as T goes to 0.

    Raises:
        ValueError: there is no image, or a logit is not finite.

    Source: Guo et al. (2017), eq. 9, minimising the mean negative log-likelihood; deviations: bounded search over
    log T, clipped to the range above.
    """
    logits, y_true = np.asarray(logits, dtype=np.float64), np.asarray(y_true, dtype=np.int64)
    if not len(logits) or not np.isfinite(logits).all():
        raise ValueError(f"A temperature needs one or more rows of finite logits, received shape {logits.shape}.")
    if is_separated(logits, y_true):
        return 1.0

    def loss(log_temperature):
        return nll(log_softmax(logits / np.exp(log_temperature), axis=1), y_true)

    bounds = (np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-7})
    best = min((*bounds, float(found.x)), key=loss)
    if loss(best) >= loss(0.0):
        return 1.0
    return float(np.clip(np.exp(best), MIN_TEMPERATURE, MAX_TEMPERATURE))


def is_separated(logits, y_true):
    """True when every image has its highest logit, and no other as high, at the true class."""
    true_logit = logits[np.arange(len(logits)), y_true]
    others = np.where(np.eye(logits.shape[1], dtype=bool)[y_true], -np.inf, logits)
    return bool((true_logit > others.max(axis=1)).all())


def temperature_message(temperature, *, separated):
    """One sentence for the user when the fitted temperature is not an ordinary minimum, else None."""
    if separated:
        return "Every validation image is classified correctly, so no temperature can be fitted; 1.0 is used."
    if np.isclose(temperature, MIN_TEMPERATURE, rtol=_AT_BOUND) or np.isclose(
        temperature, MAX_TEMPERATURE, rtol=_AT_BOUND
    ):
        return (
            f"The fitted temperature is at the end of its range ({MIN_TEMPERATURE:g} to {MAX_TEMPERATURE:g}): "
            f"{temperature:.3g}. The probabilities are hardly calibrated; look at the reliability plot."
        )
    return None


def nll(log_probabilities, y_true):
    """Mean negative log-likelihood in nats of the true classes; (n, K) and (n,) -> float."""
    return float(np.mean(nll_terms(log_probabilities, y_true)))


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
    first_rank = np.searchsorted(np.sort(confidence), confidence, side="left")
    _, member = np.unique(first_rank * bins // len(confidence), return_inverse=True)
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
