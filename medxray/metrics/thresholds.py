"""The operating point: the probability from which an image is called positive."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from medxray.errors import ConfigError, DataError
from medxray.metrics.intervals import wilson_by_patient

RULE_FORMS = (
    "youden, sensitivity:0.95, sensitivity:0.95@90 (reached with 90 % confidence), cost:FN/FP (for example cost:5/1) "
    "or a fixed number such as 0.5"
)
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


@dataclass(frozen=True)
class Rule:
    """A parsed threshold rule.

    Attributes:
        kind: "youden", "sensitivity", "cost" or "fixed".
        target: the sensitivity to reach, or the fixed threshold.
        confidence: with which the sensitivity is reached, 0-1; 0: on the images at hand.
        cost_fn: cost of one false negative.
        cost_fp: cost of one false positive.
    """

    kind: str
    target: float = 0.0
    confidence: float = 0.0
    cost_fn: float = 1.0
    cost_fp: float = 1.0


def parse_rule(text):
    """Read a threshold rule.

    Args:
        text: "youden"; "sensitivity:S" with 0 < S <= 1; "sensitivity:S@C" with 50 <= C < 100 and S < 1; "cost:FN/FP"
            with two positive costs; or a number between 0 and 1, taken as the threshold itself.

    Returns:
        Rule.

    Raises:
        ConfigError: `text` is none of these forms or holds an impossible value.
    """
    if str(text).strip() == "youden":
        return Rule("youden")
    kind, _, value = str(text).strip().partition(":")
    if kind == "sensitivity":
        return _sensitivity_rule(text, value)
    if kind == "cost":
        cost_fn, cost_fp = _costs(value)
        if cost_fn > 0 and cost_fp > 0:
            return Rule("cost", cost_fn=cost_fn, cost_fp=cost_fp)
        raise _rule_error(text, "a cost needs two positive numbers, FN/FP")
    fixed = _number(str(text))
    if 0 < fixed < 1:
        return Rule("fixed", target=fixed)
    raise _rule_error(text, "a fixed threshold must lie between 0 and 1" if math.isfinite(fixed) else "unknown rule")


def check_rule_applies(rule, classes):
    """Raise ConfigError for a rule, other than the usual one, where three or more classes have no threshold."""
    if len(classes) > 2 and parse_rule(rule).kind != "youden":
        raise ConfigError(
            f"--threshold-rule is for two classes. There are {len(classes)}: {', '.join(classes)}; the label is the "
            "most probable one. Leave it out."
        )


def _sensitivity_rule(text, value):
    target, at, confidence = value.partition("@")
    target = _number(target)
    if not 0 < target <= 1:
        raise _rule_error(text, "the sensitivity to reach must be above 0 and at most 1")
    if not at:
        return Rule("sensitivity", target=target)
    percent = _number(confidence)
    if not (50 <= percent < 100 and target < 1):
        raise _rule_error(text, "behind @ stands a confidence in percent, 50 to below 100, for a sensitivity below 1")
    return Rule("sensitivity", target=target, confidence=percent / 100)


def _number(text):
    try:
        return float(text)
    except ValueError:
        return math.nan


def _costs(text):
    parts = [_number(part) for part in text.split("/")]
    return parts if len(parts) == 2 and all(math.isfinite(part) for part in parts) else (math.nan, math.nan)


def _rule_error(text, reason):
    return ConfigError(f"The threshold rule must be {RULE_FORMS}. Received {str(text)!r}: {reason}.")


def choose_threshold(is_positive, log_odds, *, rule, patient_ids=None, chosen_on="val"):
    """Choose the operating point on one set of images.

    Candidates are the midpoints between adjacent distinct log-odds, and one below the lowest and one above the highest
    (by a factor of two in the odds), so that no image lies on the threshold. Among equally good candidates the lowest
    is taken, which is the one with the highest sensitivity.

    Args:
        is_positive: bool array (n,): the image shows the positive class.
        log_odds: float array (n,): calibrated log-odds of the positive class.
        rule: text that `parse_rule` reads. "youden" maximises sensitivity + specificity - 1; "sensitivity:S" is
            the highest candidate that reaches S; "sensitivity:S@C" the highest whose sensitivity has a one-sided lower
            bound of S at C % confidence, by patient, or the lowest of all where none has; "cost:FN/FP" minimises
            FN * false negatives + FP * false positives.
        patient_ids: array (n,), for "sensitivity:S@C"; None: each image is of another patient.
        chosen_on: name of the split, kept in the result.

    Returns:
        OperatingPoint.

    Raises:
        ConfigError: the rule cannot be read.
        DataError: the images are all of one class, or a score is no finite number.

    Source: Youden (1950) for "youden"; deviations: ties and midpoints as described.
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
    elif parsed.confidence:
        chosen = _highest_sure(candidates, is_positive, log_odds, rule=parsed, patient_ids=patient_ids)
    elif parsed.kind == "sensitivity":
        chosen = candidates[tp >= parsed.target * n_positive * (1 - 1e-12)].max()
    else:
        cost = parsed.cost_fn * (n_positive - tp) + parsed.cost_fp * fp
        chosen = candidates[cost <= cost.min() * (1 + 1e-12)].min()
    return OperatingPoint(float(expit(chosen)), str(rule), chosen_on, float(chosen))


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
