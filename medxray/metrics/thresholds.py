"""The operating point: the probability from which an image is called positive."""

import math
from dataclasses import dataclass

import numpy as np

from medxray.errors import ConfigError, DataError

RULE_FORMS = "youden, sensitivity:0.95, cost:FN/FP (for example cost:5/1) or a fixed number such as 0.5"
FIXED = "fixed"


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and where it comes from.

    Attributes:
        value: an image is positive when its calibrated probability is >= value; 0-1.
        rule: the rule as the user gave it.
        chosen_on: the split it was chosen on, or "fixed" when no data was looked at.
    """

    value: float
    rule: str
    chosen_on: str


@dataclass(frozen=True)
class Rule:
    """A parsed threshold rule.

    Attributes:
        kind: "youden", "sensitivity", "cost" or "fixed".
        target: the sensitivity to reach, or the fixed threshold.
        cost_fn: cost of one false negative.
        cost_fp: cost of one false positive.
    """

    kind: str
    target: float = 0.0
    cost_fn: float = 1.0
    cost_fp: float = 1.0


def parse_rule(text):
    """Read a threshold rule.

    Args:
        text: "youden"; "sensitivity:S" with 0 < S <= 1; "cost:FN/FP" with two positive costs; or a number
            between 0 and 1, taken as the threshold itself.

    Returns:
        Rule.

    Raises:
        ConfigError: `text` is none of the four forms or holds an impossible value.
    """
    if str(text).strip() == "youden":
        return Rule("youden")
    kind, _, value = str(text).strip().partition(":")
    if kind == "sensitivity":
        target = _number(value)
        if 0 < target <= 1:
            return Rule("sensitivity", target=target)
        raise _rule_error(text, "the sensitivity to reach must be above 0 and at most 1")
    if kind == "cost":
        cost_fn, cost_fp = _costs(value)
        if cost_fn > 0 and cost_fp > 0:
            return Rule("cost", cost_fn=cost_fn, cost_fp=cost_fp)
        raise _rule_error(text, "a cost needs two positive numbers, FN/FP")
    fixed = _number(str(text))
    if 0 < fixed < 1:
        return Rule("fixed", target=fixed)
    raise _rule_error(text, "a fixed threshold must lie between 0 and 1" if math.isfinite(fixed) else "unknown rule")


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


def choose_threshold(is_positive, score, *, rule, chosen_on="val"):
    """Choose the operating point on one set of images.

    Candidates are the midpoints between adjacent distinct scores, half way below the lowest and half way above
    the highest, so that no image lies on the threshold. Among equally good candidates the lowest is taken,
    which is the one with the highest sensitivity.

    Args:
        is_positive: bool array (n,): the image shows the positive class.
        score: float array (n,): calibrated probability of the positive class, 0-1.
        rule: text that `parse_rule` reads. "youden" maximises sensitivity + specificity - 1; "sensitivity:S" is
            the highest candidate that reaches S; "cost:FN/FP" minimises FN * false negatives + FP * false positives.
        chosen_on: name of the split, kept in the result.

    Returns:
        OperatingPoint.

    Raises:
        ConfigError: the rule cannot be read.
        DataError: the images are all of one class, or a score is outside 0-1.

    Source: Youden (1950) for "youden"; deviations: ties and midpoints as described.
    """
    parsed = parse_rule(rule)
    if parsed.kind == "fixed":
        return OperatingPoint(parsed.target, str(rule), FIXED)
    is_positive, score = np.asarray(is_positive, dtype=bool), np.asarray(score, dtype=np.float64)
    _check_scores(is_positive, score, chosen_on)
    candidates, tp, fp = _candidates(is_positive, score)
    n_positive, n_negative = int(is_positive.sum()), int((~is_positive).sum())
    if parsed.kind == "youden":
        best = tp * n_negative - fp * n_positive
        chosen = candidates[best == best.max()].min()
    elif parsed.kind == "sensitivity":
        chosen = candidates[tp >= parsed.target * n_positive * (1 - 1e-12)].max()
    else:
        cost = parsed.cost_fn * (n_positive - tp) + parsed.cost_fp * fp
        chosen = candidates[cost <= cost.min() * (1 + 1e-12)].min()
    return OperatingPoint(float(chosen), str(rule), chosen_on)


def _check_scores(is_positive, score, chosen_on):
    if is_positive.all() or not is_positive.any():
        present = "positive" if is_positive.any() else "negative"
        raise DataError(
            f"A threshold needs images of both classes. Received {len(score)} images in {chosen_on}, "
            f"none but {present} ones. Give a split with both classes or the rule 0.5."
        )
    if not ((score >= 0) & (score <= 1)).all():
        raise DataError(f"Scores must be probabilities from 0 to 1. Received {score.min()} to {score.max()}.")


def _candidates(is_positive, score):
    """Thresholds in ascending order with the true and false positives (int64) at each."""
    values, group = np.unique(score, return_inverse=True)
    positives = np.bincount(group, weights=is_positive, minlength=len(values)).astype(np.int64)
    negatives = np.bincount(group, minlength=len(values)) - positives
    below, above = np.concatenate([[0.0], values]), np.concatenate([values, [1.0]])
    middle = below + (above - below) / 2
    middle = np.where(middle > below, middle, above)
    tp = np.concatenate([np.cumsum(positives[::-1])[::-1], [0]])
    fp = np.concatenate([np.cumsum(negatives[::-1])[::-1], [0]])
    usable = np.append(np.full(len(values), True), values[-1] < 1.0)
    return middle[usable], tp[usable], fp[usable]
