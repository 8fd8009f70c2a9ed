"""From logits to a label: the temperature and the threshold that a trained model carries with it."""

import logging
import math
from dataclasses import asdict, dataclass

import numpy as np

from medxray.errors import RunError
from medxray.evaluate import calibration
from medxray.evaluate.thresholds import FIXED, OperatingPoint, choose_threshold, parse_rule

log = logging.getLogger(__name__)

MIN_IMAGES_PER_CLASS = 50
DEFAULT_POINT = OperatingPoint(0.5, "0.5", FIXED)


@dataclass(frozen=True)
class Decision:
    """How probabilities become labels.

    Attributes:
        threshold: operating point on the calibrated probability of the positive class; None with three or more
            classes, where the most probable class is the label.
        temperature: the logits are divided by it before the softmax; > 0.
        messages: what the user should know about how these two came about.
    """

    threshold: OperatingPoint | None
    temperature: float
    messages: tuple[str, ...] = ()

    def labels(self, probabilities):
        """Class index of each row of calibrated probabilities: (n, K) 0-1 -> int64 (n,).

        Two classes: 1 (the positive class) when its probability is >= the threshold. More: the highest.
        """
        if self.threshold is None:
            return np.argmax(probabilities, axis=1).astype(np.int64)
        return (np.asarray(probabilities)[:, 1] >= self.threshold.value).astype(np.int64)

    def to_dict(self):
        """The decision as JSON values."""
        threshold = None if self.threshold is None else asdict(self.threshold)
        return {"threshold": threshold, "temperature": self.temperature, "messages": list(self.messages)}

    @classmethod
    def from_dict(cls, value):
        """Read what `to_dict` wrote.

        Raises:
            RunError: a key is missing or a number is impossible.
        """
        try:
            threshold, temperature = value["threshold"], float(value["temperature"])
            if threshold is not None:
                threshold = OperatingPoint(
                    float(threshold["value"]), str(threshold["rule"]), str(threshold["chosen_on"])
                )
            messages = tuple(str(message) for message in value.get("messages", ()))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _damaged(value) from error
        usable = math.isfinite(temperature) and temperature > 0 and (threshold is None or 0 <= threshold.value <= 1)
        if not usable:
            raise _damaged(value)
        return cls(threshold, temperature, messages)


def _damaged(value):
    return RunError(
        'A stored decision needs "temperature" above 0 and "threshold" (null, or "value" from 0 to 1, "rule" and '
        f'"chosen_on"). Received {str(value)[:200]}. The run is damaged: train it again.'
    )


def fit_decision(validation, *, rule="youden"):
    """Fit the temperature and choose the threshold, on validation images only.

    With fewer than `MIN_IMAGES_PER_CLASS` validation images of any class neither is trusted: 0.5 and 1.0 are used
    and the decision says so.

    Args:
        validation: `Predictions` of the validation split.
        rule: threshold rule, see `thresholds.choose_threshold`; with three or more classes it is not used.

    Returns:
        Decision. Its messages are also logged as warnings.

    Raises:
        ConfigError: the rule cannot be read.
    """
    parsed = parse_rule(rule)
    scarce = _scarce_classes(validation)
    if scarce:
        fixed = OperatingPoint(parsed.target, str(rule), FIXED) if parsed.kind == "fixed" else DEFAULT_POINT
        threshold = fixed if validation.is_binary else None
        decision = Decision(threshold, 1.0, (_scarce_message(validation, scarce, threshold),))
    else:
        decision = _fit(validation, rule)
    for message in decision.messages:
        log.warning("%s", message)
    return decision


def _fit(validation, rule):
    temperature = calibration.fit_temperature(validation.logits, validation.y_true)
    separated = calibration.is_separated(validation.logits, validation.y_true)
    message = calibration.temperature_message(temperature, separated=separated)
    threshold = None
    if validation.is_binary:
        score = validation.score(temperature)
        threshold = choose_threshold(validation.is_positive, score, rule=rule, chosen_on=validation.split)
    return Decision(threshold, temperature, (message,) if message else ())


def _scarce_classes(validation):
    counts = np.bincount(validation.y_true, minlength=len(validation.classes))
    return {
        name: int(count) for name, count in zip(validation.classes, counts, strict=True) if count < MIN_IMAGES_PER_CLASS
    }


def _scarce_message(validation, scarce, threshold):
    found = ", ".join(f"{count} of {name}" for name, count in scarce.items())
    used = "temperature 1.0 is" if threshold is None else f"threshold {threshold.value:g} and temperature 1.0 are"
    return (
        f"Validation ({validation.split}) has too few images to fit the decision: {found}, "
        f"where {MIN_IMAGES_PER_CLASS} of each class are needed; {used} used."
    )
