"""A stored calibration brought to another place by a few labelled patients, and judged on patients left out."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from medxray.metrics.calibration import Calibration
from medxray.metrics.carried_threshold import carried_point
from medxray.metrics.decision import Decision
from medxray.metrics.patient_folds import patient_folds
from medxray.metrics.prior_shift import log_prior_ratio, shares, weights_to

SLOPE_SPREAD, SHIFT_SPREAD = 0.5, 4.0  # standard deviations of what is expected of another place
FOLDS = 10
_SLOPES = (0.05, 20.0)
_MOST_SHIFT = 100.0
_NO_GAIN = 1e-9  # nats an image: rounding, not a gain
_SEARCH = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 2000, "maxfun": 5000}


@dataclass(frozen=True)
class Adaptation:
    """What is done to stored scores: score' = slope * score + prior + shift, with one prior and shift per class.

    Attributes:
        slope: > 0; below 1 the model is less sure at the new place.
        shift: one number per class, the first is 0; what the model is wrong by beside the prevalence.
        prior: `prior_shift.log_prior_ratio` of the new and the stored prevalence, one number per class.
    """

    slope: float
    shift: tuple[float, ...]
    prior: tuple[float, ...]

    def calibration(self, stored):
        """The Calibration that gives these scores, made of the stored one."""
        terms = zip(stored.biases(len(self.shift)), self.prior, self.shift, strict=True)
        bias = tuple(float(self.slope * old + prior + shift) for old, prior, shift in terms)
        return Calibration(stored.temperature / self.slope, bias)


@dataclass(frozen=True)
class Place:
    """What is known of the two places before a patient of the new one is looked at.

    Attributes:
        decision: the stored metrics.decision.Decision.
        old: prevalence of each class that its probabilities are for, tuple of K floats; None: not known.
        new: the same at the new place; None: that of the sample, which was not selected by class.
    """

    decision: Decision
    old: tuple[float, ...] | None
    new: tuple[float, ...] | None

    def prevalence(self, sample):
        """Prevalence of each class at the new place, float64 array (K,); that of a sample where it is not given."""
        return shares(sample.y_true, len(sample.classes)) if self.new is None else np.asarray(self.new, np.float64)

    def weights(self, sample):
        """Weights of the images of a sample, float64 array (n,), mean 1."""
        return np.ones(len(sample)) if self.new is None else weights_to(sample.y_true, self.new)

    def prior(self, prevalence):
        """Log prior ratio of the new place, float64 array (K,); zeros where the stored prevalence is not known."""
        return np.zeros(len(prevalence)) if self.old is None else log_prior_ratio(prevalence, self.old)


def fit_adaptation(sample, place, *, slope_spread=SLOPE_SPREAD, shift_spread=SHIFT_SPREAD):
    """Fit slope and shifts to a labelled sample, shrunk to the stored calibration at the new prevalence.

    Minimised is N times the weighted mean negative log-likelihood, plus ((slope - 1) / slope_spread)^2 / 2, plus
    (d / shift_spread)^2 / 2 for two classes, d being the difference of the shifts; with K classes
    sum((shift - mean shift)^2) / shift_spread^2, which is the same for two. N is the number of patients that would say
    as much if all had the same weight. The problem is convex.

    Args:
        sample: `Predictions` of the new place; every class has an image.
        place: Place.
        slope_spread: standard deviation that is expected of the slope; near 0 it stays 1.
        shift_spread: the same of a difference of two shifts; near 0 they stay 0.

    Returns:
        Adaptation.

    Source: Cox (1958), Two further applications of a model for binary regression, for slope and shift; Steyerberg et
    al. (2004), Validation and updating of predictive logistic regression models, for shrinking them; Kish (1965) for N;
    deviations: normal priors instead of a shrinkage factor, weights to a prevalence, several classes.
    """
    y_true, k = sample.y_true, len(sample.classes)
    weights = place.weights(sample)
    prior = place.prior(place.prevalence(sample))
    scores = place.decision.calibration.scores(sample.logits)
    scores = scores - scores[:, :1]
    share = weights / weights.sum() * effective_patients(weights, sample.patient_ids)
    targets = np.eye(k)[y_true]

    def loss(parameters):
        slope, shift = parameters[0], np.append(0.0, parameters[1:])
        log_probabilities = log_softmax(slope * scores + prior + shift, axis=1)
        residual = share[:, None] * (np.exp(log_probabilities) - targets)
        off, centred = (slope - 1) / slope_spread, (shift - shift.mean()) / shift_spread
        value = -(share * log_probabilities[np.arange(len(y_true)), y_true]).sum() + off**2 / 2 + (centred**2).sum()
        of_slope = (residual * scores).sum() + off / slope_spread
        return value, np.append(of_slope, residual.sum(axis=0)[1:] + 2 * centred[1:] / shift_spread)

    bounds = [_SLOPES] + [(-_MOST_SHIFT, _MOST_SHIFT)] * (k - 1)
    start = np.append(1.0, np.zeros(k - 1))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=_SEARCH).x
    return Adaptation(float(found[0]), (0.0, *map(float, found[1:])), tuple(map(float, prior)))


def effective_patients(weights, patient_ids):
    """How many patients of one weight say as much as patients whose images have these weights: (sum w)^2 / sum w^2.

    Args:
        weights: float array (n,), of images; those of a patient are added.
        patient_ids: str array (n,).

    Returns:
        float, at most the number of patients.
    """
    _, patient = np.unique(patient_ids, return_inverse=True)
    totals = np.bincount(patient, weights=weights)
    return float(totals.sum() ** 2 / (totals**2).sum())


def adapted_decision(sample, place, *, site, messages=()):
    """The decision of a run at a new place.

    Args:
        sample: `Predictions` of labelled images of the place.
        place: Place.
        site: name of the place, for the record.
        messages: what the decision says about itself besides, tuple of str.

    Returns:
        (Decision, Adaptation).
    """
    stored, found = place.decision, fit_adaptation(sample, place)
    prevalence = place.prevalence(sample)
    threshold = stored.threshold
    if threshold is not None:
        threshold = carried_point(threshold, old=place.old, new=prevalence, site=site)
    own = Decision(threshold, found.calibration(stored.calibration), (*stored.messages, *messages), stored.decided_on)
    return own, found


@dataclass(frozen=True, eq=False)
class Judged:
    """What a decision says of images.

    Attributes:
        log_probabilities: float64 array (n, K).
        labels: int64 array (n,), class index.
    """

    log_probabilities: np.ndarray
    labels: np.ndarray

    @classmethod
    def by(cls, decision, logits):
        """The images with some logits (n, K) by a Decision."""
        return cls(decision.calibration.log_probabilities(logits), decision.labels(logits))


def cross_fitted(sample, place, *, folds=FOLDS, seed=0):
    """Each patient judged by an adaptation that was fitted to the other folds.

    Args:
        sample: `Predictions` of labelled images of the place.
        place: Place.
        folds: how many, see `patient_folds.patient_folds`.
        seed: of the folds.

    Returns:
        Judged, in the order of the sample.
    """
    number = patient_folds(sample.patient_ids, sample.y_true, folds, seed=seed)
    log_probabilities, labels = np.empty(sample.logits.shape), np.empty(len(sample), np.int64)
    for fold in np.unique(number):
        held = number == fold
        decision, _ = adapted_decision(sample.where(~held), place, site="")
        judged = Judged.by(decision, sample.logits[held])
        log_probabilities[held], labels[held] = judged.log_probabilities, judged.labels
    return Judged(log_probabilities, labels)


@dataclass(frozen=True, eq=False)
class Decided:
    """An adapted decision, and whether it is worth having.

    Attributes:
        decision: Decision fitted to the whole sample.
        adaptation: Adaptation.
        before: Judged by the stored decision.
        after: Judged by `cross_fitted`.
        kept: the weighted NLL of `after` is below that of `before`.
    """

    decision: Decision
    adaptation: Adaptation
    before: Judged
    after: Judged
    kept: bool


def decide(sample, place, *, site, messages=(), seed=0):
    """Adapt a decision and say whether patients left out gain by it.

    Args:
        sample: `Predictions` of labelled images of the place.
        place: Place.
        site: as for `adapted_decision`.
        messages: as for `adapted_decision`.
        seed: of the folds.

    Returns:
        Decided.
    """
    decision, found = adapted_decision(sample, place, site=site, messages=messages)
    before, after = Judged.by(place.decision, sample.logits), cross_fitted(sample, place, seed=seed)
    weights, rows = place.weights(sample), np.arange(len(sample))
    gain = (weights * (after.log_probabilities - before.log_probabilities)[rows, sample.y_true]).sum()
    return Decided(decision, found, before, after, bool(gain > _NO_GAIN * weights.sum()))
