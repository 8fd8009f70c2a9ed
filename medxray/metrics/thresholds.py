"""The operating point: the probability from which an image is called positive."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from medxray.errors import DataError
from medxray.metrics.intervals import wilson_by_patient
from medxray.metrics.threshold_rules import parse_rule

FIXED = "fixed"
_BEYOND = math.log(2)  # how far the outermost candidates lie beyond all scores, in log-odds


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and where it comes from.

    Attributes:
        value: an image is positive when its calibrated probability is >= value; 0-1.
        rule: the rule as the user gave it.
        chosen_on: the split it was chosen on, or "fixed" when no data was looked at.
        log_odds: the same as log(value / (1 - value)); images are compared with it, since probabilities near 1 are all
            the same number. Left out, it follows from `value`.
    """

    value: float
    rule: str
    chosen_on: str
    log_odds: float | None = None

    def __post_init__(self):
        if self.log_odds is None:
            object.__setattr__(self, "log_odds", float(logit(self.value)))


def choose_threshold(is_positive, log_odds, *, rule, patient_ids=None, chosen_on="val"):
    """Choose the operating point on one set of images.

    Candidates are the midpoints between adjacent distinct log-odds, and one below the lowest and one above the highest
    (by a factor of two in the odds), so that no image lies on the threshold. Among equally good candidates the lowest
    is taken, which is the one with the highest sensitivity.

    Args:
        is_positive: bool array (n,): the image shows the positive class.
        log_odds: float array (n,): calibrated log-odds of the positive class.
        rule: text that `parse_rule` reads. "youden" maximises sensitivity + specificity - 1; "youden:S" is the same, or
            the highest candidate that reaches S where that is higher; "sensitivity:S" is the highest candidate that
            reaches S; "sensitivity:S@C" the highest whose sensitivity has a one-sided lower
            bound of S at C % confidence, by patient, or the lowest of all where none has; "cost:FN/FP" minimises
            FN * false negatives + FP * false positives.
        patient_ids: array (n,), for "sensitivity:S@C"; None: each image is of another patient.
        chosen_on: name of the split, kept in the result.

    Returns:
        OperatingPoint.

    Raises:
        ConfigError: the rule cannot be read.
        DataError: the images are all of one class, or a score is no finite number.

    Source: Youden (1950) for "youden"; deviations: ties and midpoints as
    described; the bound of "youden:S" is of this project.
    """
    parsed = parse_rule(rule)
    if parsed.kind == "fixed":
        return OperatingPoint(parsed.target, str(rule), FIXED)
    is_positive, log_odds = np.asarray(is_positive, dtype=bool), np.asarray(log_odds, dtype=np.float64)
    _check_scores(is_positive, log_odds, chosen_on)
    candidates, tp, fp = _candidates(is_positive, log_odds)
    n_positive, n_negative = int(is_positive.sum()), int((~is_positive).sum())
    if parsed.kind == "youden":
        best = tp * n_negative - fp * n_positive
        chosen = candidates[best == best.max()].min()
        if parsed.target:
            chosen = max(chosen, _highest_reaching(candidates, tp, parsed.target * n_positive))
    elif parsed.confidence:
        chosen = _highest_sure(candidates, is_positive, log_odds, rule=parsed, patient_ids=patient_ids)
    elif parsed.kind == "sensitivity":
        chosen = _highest_reaching(candidates, tp, parsed.target * n_positive)
    else:
        cost = parsed.cost_fn * (n_positive - tp) + parsed.cost_fp * fp
        chosen = candidates[cost <= cost.min() * (1 + 1e-12)].min()
    return OperatingPoint(float(expit(chosen)), str(rule), chosen_on, float(chosen))


def _highest_reaching(candidates, tp, wanted):
    return candidates[tp >= wanted * (1 - 1e-12)].max()


def sure_sensitivity(point, *, is_positive, log_odds, patient_ids, confidence):
    """One-sided lower bound of the sensitivity at an operating point, by patient, 0-1; see `wilson_by_patient`."""
    called = np.asarray(log_odds) >= point
    return wilson_by_patient(called, is_positive, patient_ids, level=2 * confidence - 1)[0]


def _highest_sure(candidates, is_positive, log_odds, *, rule, patient_ids):
    """The highest candidate whose sensitivity is sure enough, found by halving: the bound falls as it rises."""
    patient_ids = np.arange(len(log_odds)) if patient_ids is None else patient_ids
    low, high = 0, len(candidates)
    while high - low > 1:
        middle = (low + high) // 2
        bound = sure_sensitivity(
            candidates[middle],
            is_positive=is_positive,
            log_odds=log_odds,
            patient_ids=patient_ids,
            confidence=rule.confidence,
        )
        low, high = (middle, high) if bound >= rule.target else (low, middle)
    return candidates[low]


def _check_scores(is_positive, log_odds, chosen_on):
    if is_positive.all() or not is_positive.any():
        present = "positive" if is_positive.any() else "negative"
        raise DataError(
            f"A threshold needs images of both classes. Received {len(log_odds)} images in {chosen_on}, "
            f"none but {present} ones. Give a split with both classes or the rule 0.5."
        )
    if not np.isfinite(log_odds).all():
        raise DataError(f"Log-odds must be finite numbers. Received {log_odds.min()} to {log_odds.max()}.")


def _candidates(is_positive, log_odds):
    """Thresholds in ascending order with the true and false positives (int64) at each."""
    values, group = np.unique(log_odds, return_inverse=True)
    positives = np.bincount(group, weights=is_positive, minlength=len(values)).astype(np.int64)
    negatives = np.bincount(group, minlength=len(values)) - positives
    below = np.concatenate([[values[0] - 2 * _BEYOND], values])
    above = np.concatenate([values, [values[-1] + 2 * _BEYOND]])
    middle = below + (above - below) / 2
    middle = np.where(middle > below, middle, above)
    tp = np.concatenate([np.cumsum(positives[::-1])[::-1], [0]])
    fp = np.concatenate([np.cumsum(negatives[::-1])[::-1], [0]])
    return middle, tp, fp
