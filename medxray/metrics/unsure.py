"""What a run stores to say that it is unsure: prediction sets and when not to answer."""

import math
from dataclasses import dataclass

import numpy as np

from medxray.errors import RunError
from medxray.metrics.conformal import ALWAYS, LEVEL, PredictionSets, fit_sets
from medxray.metrics.decision import CLEAN, SHIFTED
from medxray.metrics.selective import CONFIDENCE, RISKS, Abstention, Counts, fit_abstention, label_log_odds


@dataclass(frozen=True)
class Unsure:
    """Prediction sets and abstention of a run, for its decision.

    Attributes:
        sets: conformal.PredictionSets.
        abstention: selective.Abstention.
    """

    sets: PredictionSets
    abstention: Abstention

    @property
    def views(self):
        """The kinds of validation views that both hold for: CLEAN, or CLEAN and SHIFTED."""
        return tuple(self.abstention.counts)

    def prediction_sets(self, logits, decision):
        """The set of each image: logits (n, K) -> bool (n, K); the label is always in it."""
        return self.sets.contains(decision.calibration.log_odds(logits), decision.labels(logits))

    def answered(self, logits, decision, point):
        """Whether each image is answered at a selective.AbstainPoint: logits (n, K) -> bool (n,)."""
        return sureness(logits, decision) >= point.log_odds

    def messages(self, classes):
        """What cannot be promised for want of patients, list of str.

        Args:
            classes: names in the order of the logits.
        """
        return self._messages_of_sets(classes) + [
            self.obstacle(risk) for risk in RISKS if self.abstention.point(risk) is None
        ]

    def obstacle(self, risk):
        """Why an error cannot be kept, and which one can, in one sentence or two."""
        part, lowest = self.abstention, self.abstention.lowest_risk()
        instead = "None below 50 % can"
        if lowest is not None:
            instead = f"The lowest that can is {100 * lowest:g} % (--abstain {lowest:g})"
        return (
            f"An error below {100 * risk:g} % among answered patients cannot be shown with "
            f"{100 * part.confidence:g} % confidence by {part.patients} validation patients. {instead}; more patients "
            "or a better model allow less."
        )

    def _messages_of_sets(self, classes):
        few = [
            f"{name} {count}"
            for name, count, threshold in zip(classes, self.sets.patients, self.sets.log_odds, strict=True)
            if threshold == ALWAYS
        ]
        if not few:
            return []
        return [
            f"Prediction sets at {100 * self.sets.level:g} % need {self.sets.needed} validation patients of a class. "
            f"Too few ({', '.join(few)}): such a class is in every set."
        ]

    def to_dict(self):
        """The block `unsure` of run.json as JSON values; docs/unsure.md says what they are."""
        part = self.abstention
        return {
            "sets": {
                "level": self.sets.level,
                "log_odds": [_finite(value) for value in self.sets.log_odds],
                "patients": list(self.sets.patients),
            },
            "abstain": {
                "confidence": part.confidence,
                "patients": part.patients,
                "log_odds": [_finite(value) for value in part.log_odds],
                "views": {
                    name: {"answered": list(counts.answered), "wrong": list(counts.wrong)}
                    for name, counts in part.counts.items()
                },
            },
        }

    @classmethod
    def from_dict(cls, value):
        """Read what `to_dict` wrote.

        Raises:
            RunError: a key is missing or a number is impossible.
        """
        try:
            sets, part = value["sets"], value["abstain"]
            found = cls(
                PredictionSets(
                    float(sets["level"]), tuple(map(_number, sets["log_odds"])), tuple(map(int, sets["patients"]))
                ),
                Abstention(
                    float(part["confidence"]),
                    tuple(map(_number, part["log_odds"])),
                    int(part["patients"]),
                    {
                        str(name): Counts(tuple(map(int, counts["answered"])), tuple(map(int, counts["wrong"])))
                        for name, counts in part["views"].items()
                    },
                ),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _damaged() from error
        if not _possible(found):
            raise _damaged()
        return found


def sureness(logits, decision):
    """Calibrated log-odds of the label that a decision gives: logits (n, K) -> float64 (n,)."""
    return label_log_odds(decision.calibration.log_odds(logits), decision.labels(logits))


def fit_unsure(validation, decision, *, shifted=None, level=LEVEL, confidence=CONFIDENCE):
    """Fit prediction sets and abstention on validation images, with the labels and probabilities of a decision.

    With shifted views both hold on the unchanged images and on the shifted views, each by itself.

    Args:
        validation: `Predictions` of the unchanged validation images.
        decision: `Decision` that the run uses.
        shifted: dict of shifted views -> logits (n, K) of the same images, or None.
        level: of the sets, 0-1.
        confidence: of the bounds, 0-1.

    Returns:
        Unsure.
    """
    views = {CLEAN: [validation.logits]} | ({SHIFTED: list(shifted.values())} if shifted else {})
    log_odds = {name: [decision.calibration.log_odds(part) for part in parts] for name, parts in views.items()}
    answers = {
        name: [(sureness(part, decision), decision.labels(part)) for part in parts] for name, parts in views.items()
    }
    truth, patients = validation.y_true, validation.patient_ids
    return Unsure(
        fit_sets(log_odds, truth, patients, level=level),
        fit_abstention(answers, truth, patients, validation.paths, confidence=confidence),
    )


def _finite(value):
    return value if math.isfinite(value) else None


def _number(value):
    return -math.inf if value is None else float(value)


def _possible(found):
    sets, part = found.sets, found.abstention
    pairs = [(np.array(counts.answered), np.array(counts.wrong)) for counts in part.counts.values()]
    fitting = all(len(answered) == len(wrong) == len(part.log_odds) > 0 for answered, wrong in pairs)
    return (
        0 < sets.level < 1
        and 0 < part.confidence < 1
        and len(sets.log_odds) == len(sets.patients) > 1
        and bool(pairs)
        and fitting
        and all(((0 <= wrong) & (wrong <= answered) & (answered <= part.patients)).all() for answered, wrong in pairs)
        and not any(map(math.isnan, (*sets.log_odds, *part.log_odds)))
    )


def _damaged():
    return RunError(
        'The block "unsure" of run.json needs "sets" (level, log_odds and patients of each class) and "abstain" '
        "(confidence, patients, log_odds, and for each of views answered and wrong). It is damaged: remove it from "
        "run.json, and compute it again with: medxray unsure RUN"
    )
