"""From logits to a label: the calibration and the threshold that a trained model carries with it."""

import logging
import math
from dataclasses import asdict, dataclass, replace

import numpy as np

from medxray.errors import RunError
from medxray.metrics.calibration import Calibration, calibration_messages, fit_calibration, is_separated
from medxray.metrics.threshold_rules import USUAL_RULE, parse_rule
from medxray.metrics.thresholds import FIXED, OperatingPoint, choose_threshold, sure_sensitivity

log = logging.getLogger(__name__)

MIN_IMAGES_PER_CLASS = 50
CLEAN, SHIFTED = "clean", "shifted"  # the views of validation images that a decision is fitted on
VALIDATION = "val"  # the split that decisions are fitted on
DEFAULT_POINT = OperatingPoint(0.5, "0.5", FIXED)


@dataclass(frozen=True)
class Decision:
    """How probabilities become labels.

    Attributes:
        threshold: operating point on the calibrated probability of the positive class; None with three or more
            classes, where the most probable class is the label.
        calibration: how logits become probabilities; the identity when nothing was fitted.
        messages: what the user should know about how these two came about.
        decided_on: CLEAN, or SHIFTED where shifted views of the images took part.
    """

    threshold: OperatingPoint | None
    calibration: Calibration = Calibration()
    messages: tuple[str, ...] = ()
    decided_on: str = CLEAN

    def labels(self, logits):
        """Class index of each row of logits as the model gives them: (n, K) -> int64 (n,).

        Two classes: 1 (the positive class) when its calibrated log-odds are at least those of the threshold. More: the
        class with the highest calibrated probability.
        """
        if self.threshold is None:
            return np.argmax(self.calibration.scores(np.asarray(logits, dtype=np.float64)), axis=1).astype(np.int64)
        return (self.calibration.log_odds(logits)[:, 1] >= self.threshold.log_odds).astype(np.int64)

    def fitted_on(self, split):
        """Whether threshold or calibration were fitted on the images of a split (its name)."""
        if self.threshold is not None:
            return self.threshold.chosen_on == split
        return split == VALIDATION and not self.calibration.is_identity

    def to_dict(self):
        """The decision as JSON values."""
        return {
            "threshold": None if self.threshold is None else asdict(self.threshold),
            "temperature": self.calibration.temperature,
            "bias": list(self.calibration.bias),
            "messages": list(self.messages),
            "decided_on": self.decided_on,
        }

    @classmethod
    def from_dict(cls, value):
        """Read what `to_dict` wrote; without "bias" (runs of an earlier version) it is 0.

        Raises:
            RunError: a key is missing or a number is impossible.
        """
        try:
            threshold = value["threshold"]
            calibration = Calibration(float(value["temperature"]), tuple(map(float, value.get("bias", ()))))
            if threshold is not None:
                threshold = _read_point(threshold)
            messages = tuple(str(message) for message in value.get("messages", ()))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _damaged(value) from error
        if not _possible(calibration) or not (threshold is None or 0 <= threshold.value <= 1):
            raise _damaged(value)
        return cls(threshold, calibration, messages, str(value.get("decided_on", CLEAN)))


def chosen_where(chosen_on, decided_on):
    """Where a threshold was chosen, in words: the split, and whether shifted views of its images took part.

    Args:
        chosen_on: as in an OperatingPoint.
        decided_on: as in a Decision; shifted views are of validation images, so they choose no threshold elsewhere.
    """
    return f"{chosen_on}, shifted views too" if (chosen_on, decided_on) == (VALIDATION, SHIFTED) else chosen_on


def _read_point(stored):
    """The OperatingPoint that `to_dict` wrote; runs of version 0.1 have no log-odds."""
    known = stored.get("log_odds")
    value = float(stored["value"])
    return OperatingPoint(value, str(stored["rule"]), str(stored["chosen_on"]), None if known is None else float(known))


def _possible(calibration):
    numbers = (calibration.temperature, *calibration.bias)
    return all(map(math.isfinite, numbers)) and calibration.temperature > 0 and len(calibration.bias) != 1


def _damaged(value):
    return RunError(
        'A stored decision needs "temperature" above 0, "bias" (one number per class, or none) and "threshold" (null, '
        f'or "value" from 0 to 1, "rule" and "chosen_on"). Received {str(value)[:200]}. '
        "The run is damaged: train it again."
    )


def fit_decisions(validation, *, rule=USUAL_RULE, decide_on=CLEAN, shifted=None, rows=None):
    """The decision of a run and, where shifted views were looked at, the one on the other views for comparison.

    Args:
        validation: `Predictions` of the unchanged validation images.
        rule: as for `fit_decision`.
        decide_on: CLEAN or SHIFTED.
        shifted: dict of shifted views -> logits (n,K) of the same images, each view with the same weight and all
            together with that of the unchanged images; None: no such views.
        rows: int array, the images that `shifted` is of where the decision on it is for comparison only; None: all.

    Returns:
        (Decision, Decision or None).
    """
    clean = fit_decision(validation, rule=rule)
    part = validation if rows is None else validation.where(rows)
    if not shifted or not enough_images(part):
        return clean, None
    both = replace(_fit(with_shifted(part, shifted), rule), decided_on=SHIFTED)
    if decide_on == SHIFTED:
        _tell(both)
        return both, clean
    of = f"Fitted for comparison on {len(part)} of {len(validation)} validation images."
    return clean, replace(both, messages=(*both.messages, of))


def enough_images(predictions):
    """Whether every class has the `MIN_IMAGES_PER_CLASS` images that a decision is fitted on."""
    return not _scarce_classes(predictions)


def with_shifted(validation, shifted):
    """Predictions of unchanged and shifted views: the unchanged ones once for each shifted view, so half of all rows.

    Args:
        validation: `Predictions` of the unchanged images.
        shifted: dict of views -> logits (n,K).
    """
    views = [validation.logits] * len(shifted) + list(shifted.values())
    count = len(views)
    return replace(
        validation,
        paths=validation.paths * count,
        patient_ids=np.tile(validation.patient_ids, count),
        y_true=np.tile(validation.y_true, count),
        logits=np.concatenate(views),
        subtypes=None if validation.subtypes is None else validation.subtypes * count,
    )


def fit_decision(validation, *, rule=USUAL_RULE):
    """Fit the calibration and choose the threshold, on validation images only.

    With fewer than `MIN_IMAGES_PER_CLASS` validation images of any class neither is trusted: the threshold is 0.5, the
    probabilities stay as they are, and the decision says so.

    Args:
        validation: `Predictions` of the validation split.
        rule: threshold rule, see `threshold_rules.parse_rule`; with three or more classes it is not used.

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
        decision = Decision(threshold, messages=(_scarce_message(validation, scarce, threshold),))
    else:
        decision = _fit(validation, rule)
    _tell(decision)
    return decision


def _tell(decision):
    for message in decision.messages:
        log.warning("%s", message)


def _fit(validation, rule):
    calibration = fit_calibration(validation.logits, validation.y_true)
    separated = is_separated(validation.logits, validation.y_true)
    messages = calibration_messages(calibration, separated=separated)
    if not validation.is_binary:
        return Decision(None, calibration, messages)
    log_odds = calibration.log_odds(validation.logits)[:, 1]
    shown = {"is_positive": validation.is_positive, "log_odds": log_odds, "patient_ids": validation.patient_ids}
    threshold = choose_threshold(**shown, rule=rule, chosen_on=validation.split)
    return Decision(threshold, calibration, messages + _unsure(threshold, parse_rule(rule), shown))


def _unsure(threshold, rule, shown):
    """A message where the validation images are too few for the confidence that the rule asks for."""
    if not rule.confidence:
        return ()
    bound = sure_sensitivity(threshold.log_odds, confidence=rule.confidence, **shown)
    if bound >= rule.target:
        return ()
    return (
        f"A sensitivity of {rule.target:g} cannot be shown with {100 * rule.confidence:g} % confidence on validation "
        f"images: its lower bound is {bound:.3f} even where all are called positive, and that threshold is used. Add "
        "patients, or ask for less.",
    )


def _scarce_classes(validation):
    counts = np.bincount(validation.y_true, minlength=len(validation.classes))
    return {
        name: int(count) for name, count in zip(validation.classes, counts, strict=True) if count < MIN_IMAGES_PER_CLASS
    }


def _scarce_message(validation, scarce, threshold):
    found = ", ".join(f"{count} of {name}" for name, count in scarce.items())
    used = "no calibration is" if threshold is None else f"threshold {threshold.value:g} and no calibration are"
    return (
        f"Validation ({validation.split}) has too few images to fit the decision: {found}, "
        f"where {MIN_IMAGES_PER_CLASS} of each class are needed; {used} used."
    )
