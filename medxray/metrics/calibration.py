"""From logits to probabilities that mean what they say: bias-corrected temperature scaling."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp, softmax

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.1, 10.0
MAX_BIAS = 100.0
_AT_BOUND = 1e-3
_SEARCH = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 2000, "maxfun": 5000}


@dataclass(frozen=True)
class Calibration:
    """Calibrated probabilities are softmax(logits / temperature + bias).

    With two classes this is a rising function of the difference of the logits, so the ranking of the images stays
    as it is. Without arguments it is the identity for any number of classes.

    Attributes:
        temperature: the logits are divided by it; > 0, above 1 the model was overconfident.
        bias: one number per class in the order of the logits, added after the division; the first is 0. Empty: none.

    Source: Alexandari, Kundaje and Shrikumar (2020), bias-corrected temperature scaling; deviations: the bias of the
    first class is fixed at 0, which changes no probability and makes the others unique.
    """

    temperature: float = 1.0
    bias: tuple[float, ...] = ()

    @property
    def is_identity(self):
        """True when the probabilities are the softmax of the logits themselves."""
        return self.temperature == 1.0 and not any(self.bias)

    def probability_of(self, name):
        """What the probability of something is called where it is shown."""
        return f"probability of {name} (not calibrated)" if self.is_identity else f"calibrated probability of {name}"

    def biases(self, n_classes):
        """The bias of each class, also where none was fitted: tuple of `n_classes` floats."""
        return self.bias or (0.0,) * n_classes

    def scores(self, logits):
        """Logits / temperature + bias: float64 array or tensor (n, K) -> the same kind, for the softmax."""
        return logits / self.temperature + self.biases(logits.shape[1])

    def probabilities(self, logits):
        """Calibrated probabilities of logits (n, K): float64 array (n, K), 0-1, rows sum to 1."""
        return softmax(self.scores(np.asarray(logits, dtype=np.float64)), axis=1)

    def log_probabilities(self, logits):
        """Natural logarithm of `probabilities`, exact where they underflow."""
        return log_softmax(self.scores(np.asarray(logits, dtype=np.float64)), axis=1)

    def log_odds(self, logits):
        """Calibrated log-odds of each class against the others, log(p / (1 - p)).

        They rank images where the probabilities have all reached 1.0.

        Args:
            logits: float array (n, K).

        Returns:
            float64 array (n, K); with two classes the first column is the exact opposite of the second.
        """
        scores = self.scores(np.asarray(logits, dtype=np.float64))
        if scores.shape[1] == 2:
            difference = scores[:, 1] - scores[:, 0]
            return np.stack([-difference, difference], axis=1)
        others = [logsumexp(np.delete(scores, k, axis=1), axis=1) for k in range(scores.shape[1])]
        return scores - np.stack(others, axis=1)


def fit_calibration(logits, y_true):
    """Fit temperature and biases by maximum likelihood.

    The mean negative log-likelihood is convex in 1 / temperature and the biases; L-BFGS-B minimises it from the
    identity, with `MIN_TEMPERATURE` <= temperature <= `MAX_TEMPERATURE` and |bias| <= `MAX_BIAS`.

    Args:
        logits: float array (n, K), K >= 2, finite.
        y_true: int array (n,), index of the true class; every class has an image.

    Returns:
        Calibration.

    Raises:
        ValueError: a class has no image, or a logit is not finite.

    Source: Alexandari, Kundaje and Shrikumar (2020), after Guo et al. (2017), eq. 9; deviations: bounds; where
    `is_separated` the likelihood has no maximum, and the labels are softened as Platt (1999) did for two classes: an
    image of a class of m images has the target (m + 1) / (m + K) for it and 1 / (m + K) for each of the others.
    """
    logits, y_true = np.asarray(logits, dtype=np.float64), np.asarray(y_true, dtype=np.int64)
    n, k = logits.shape
    if not np.isfinite(logits).all() or len(np.unique(y_true)) != k:
        raise ValueError(f"A calibration needs finite logits and images of all {k} classes, received {n} images.")
    return _fitted(logits, _softened(y_true, k) if is_separated(logits, y_true) else np.eye(k)[y_true])


def _fitted(logits, targets):
    """The most likely Calibration within the bounds, for targets (n, K) whose rows sum to 1."""
    n, k = logits.shape
    centred = logits - logits[:, :1]

    def loss(parameters):
        log_probabilities = log_softmax(parameters[0] * centred + np.append(0.0, parameters[1:]), axis=1)
        residual = (np.exp(log_probabilities) - targets) / n
        gradient = np.append((residual * centred).sum(), residual.sum(axis=0)[1:])
        return -(targets * log_probabilities).sum() / n, gradient

    bounds = [(1 / MAX_TEMPERATURE, 1 / MIN_TEMPERATURE)] + [(-MAX_BIAS, MAX_BIAS)] * (k - 1)
    identity = np.append(1.0, np.zeros(k - 1))
    found = minimize(loss, identity, jac=True, method="L-BFGS-B", bounds=bounds, options=_SEARCH).x
    temperature = float(np.clip(1 / found[0], MIN_TEMPERATURE, MAX_TEMPERATURE))
    return Calibration(temperature, (0.0, *map(float, found[1:])))


def calibrated_nll(logits, y_true):
    """Lowest mean cross-entropy that a calibration to the same images reaches, in nats.

    Labels are not softened where the classes are separated, as they are for the calibration that a run keeps: an epoch
    that separates the classes would be worse than the same one with a single image on the wrong side.

    Args:
        logits: float array (n, K), K >= 2.
        y_true: int array (n,), index of the true class.

    Returns:
        float; the cross-entropy of the logits as they are where a class has no image, nan where one is not finite.

    Source: Berta et al. (2025), arXiv:2501.19195 (the refinement error, by the loss after calibration).
    """
    logits = np.asarray(logits, dtype=np.float64)
    if not np.isfinite(logits).all():
        return float("nan")
    labels = np.eye(logits.shape[1])[y_true]
    calibration = _fitted(logits, labels) if labels.any(axis=0).all() else Calibration()
    return float(-calibration.log_probabilities(logits)[np.arange(len(y_true)), y_true].mean())


def is_separated(logits, y_true):
    """True when some biases put every image's highest logit, and no other as high, at its true class.

    The likelihood then grows without end as the temperature goes to 0. Biases b exist when b[j] - b[y] < margin[y, j],
    the smallest logits[y] - logits[j] among the images of class y, for all y and j: that is, when every cycle of
    classes has a positive sum of margins, which the shortest paths between the classes tell (Floyd 1962).

    Args:
        logits: float array (n, K).
        y_true: int array (n,), index of the true class.
    """
    k = logits.shape[1]
    paths = np.full((k, k), np.inf)
    for true in np.unique(y_true):
        members = logits[y_true == true]
        paths[true] = (members[:, [true]] - members).min(axis=0)
        paths[true, true] = np.inf
    for middle in range(k):
        paths = np.minimum(paths, paths[:, [middle]] + paths[middle])
    return bool((np.diag(paths) > 0).all())


def _softened(y_true, k):
    """Platt's targets, float64 (n, K): rows sum to 1."""
    total = np.bincount(y_true, minlength=k)[y_true][:, None] + k
    return (1 + np.eye(k)[y_true] * (total - k)) / total


def calibration_messages(calibration, *, separated):
    """Sentences for the user, as a tuple: what is not ordinary about a fitted calibration; empty if nothing is."""
    messages = []
    if separated:
        messages.append(
            "The validation images are separated without error, so no calibration is the most likely one; it was "
            "fitted to softened labels (docs/evaluation.md). Take the probabilities as rough."
        )
    if np.isclose(calibration.temperature, (MIN_TEMPERATURE, MAX_TEMPERATURE), rtol=_AT_BOUND).any():
        messages.append(_bound_message("temperature", (MIN_TEMPERATURE, MAX_TEMPERATURE), calibration.temperature))
    worst = max(calibration.bias, key=abs, default=0.0)
    if np.isclose(abs(worst), MAX_BIAS, rtol=_AT_BOUND):
        messages.append(_bound_message("bias", (-MAX_BIAS, MAX_BIAS), worst))
    return tuple(messages)


def _bound_message(name, bounds, value):
    return (
        f"The fitted {name} is at the end of its range ({bounds[0]:g} to {bounds[1]:g}): {value:.3g}. "
        "The probabilities are hardly calibrated; look at the reliability plot."
    )
