"""The rules that choose a threshold, as text: what users may write, and what it means. No TensorFlow."""

import math
from dataclasses import dataclass

from medxray.errors import ConfigError

YOUDEN = "youden"
USUAL_RULE = "youden:0.95"  # how it was chosen: docs/notes/decision.md
RULE_FORMS = (
    "youden, youden:0.95 (or the highest threshold that reaches this sensitivity, where that is higher), "
    "sensitivity:0.95, sensitivity:0.95@90 (reached with 90 % confidence), cost:FN/FP (for example cost:5/1) or a "
    "fixed number such as 0.5"
)


@dataclass(frozen=True)
class Rule:
    """A parsed threshold rule.

    Attributes:
        kind: "youden", "sensitivity", "cost" or "fixed".
        target: the sensitivity to reach; that which Youden's rule need not exceed, 0: none; or the fixed threshold.
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
        text: "youden"; "youden:S" with 0 < S < 1; "sensitivity:S" with 0 < S <= 1; "sensitivity:S@C" with 50 <= C < 100
            and S < 1; "cost:FN/FP" with two positive costs; or a number between 0 and 1, taken as the threshold itself.

    Returns:
        Rule.

    Raises:
        ConfigError: `text` is none of these forms or holds an impossible value.
    """
    if str(text).strip() == YOUDEN:
        return Rule(YOUDEN)
    kind, _, value = str(text).strip().partition(":")
    if kind == YOUDEN:
        return _youden_rule(text, value)
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
    """Raise ConfigError for a rule where three or more classes have no threshold; that of a run that names none passes.

    "youden" passes as well: it was the usual one before, and runs have stored it.
    """
    if len(classes) > 2 and rule not in (USUAL_RULE, YOUDEN):
        raise ConfigError(
            f"--threshold-rule is for two classes. There are {len(classes)}: {', '.join(classes)}; the label is the "
            "most probable one. Leave it out."
        )


def _youden_rule(text, value):
    target = _number(value)
    if 0 < target < 1:
        return Rule(YOUDEN, target=target)
    raise _rule_error(text, "the sensitivity that need not be exceeded must lie between 0 and 1")


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
