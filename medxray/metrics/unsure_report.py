"""How prediction sets and abstention of a run do on a split: coverage, set size, risk; each patient counts once."""

import dataclasses

import numpy as np

from medxray.metrics.patient_shares import patient_mean, patient_share, patient_weights
from medxray.metrics.selective import RISKS
from medxray.metrics.unsure import sureness

_LEAST_SHOWN = 0.096  # of the errors, so that those that are asked for lie on the axis
_SPARSE = 0.05  # below this share of answered patients the curve is drawn, but does not set the axis


def report_unsure(predictions, decision, unsure):
    """Measure the stored prediction sets and operating points on a split.

    Args:
        predictions: `Predictions`.
        decision: `Decision` of the run.
        unsure: `unsure.Unsure` of the run.

    Returns:
        dict of JSON values; docs/unsure.md describes each key.
    """
    return {
        "views": list(unsure.views),
        "sets": _sets(predictions, unsure.prediction_sets(predictions.logits, decision), unsure.sets.level),
        "abstain": [_at_risk(predictions, decision, unsure, risk) for risk in RISKS],
        "messages": unsure.messages(predictions.classes),
    }


def report_unsure_shifted(predictions, decision, unsure, logits):
    """`report_unsure` over shifted views of the same images, each of which counts as a further image of its patient.

    Args:
        predictions: `Predictions` of the unchanged images.
        decision: `Decision` of the run.
        unsure: `unsure.Unsure` of the run.
        logits: dict of views -> float array (n, K).
    """
    count = len(logits)
    views = dataclasses.replace(
        predictions,
        paths=predictions.paths * count,
        patient_ids=np.tile(predictions.patient_ids, count),
        y_true=np.tile(predictions.y_true, count),
        logits=np.concatenate(list(logits.values())),
        subtypes=None,
    )
    return report_unsure(views, decision, unsure)


def _sets(predictions, sets, level):
    """Coverage and size of sets, bool array (n, K)."""
    patients, truth = predictions.patient_ids, predictions.y_true
    covered = sets[np.arange(len(truth)), truth]
    sizes = sets.sum(axis=1)
    per_class = {}
    for k, name in enumerate(predictions.classes):
        own = truth == k
        per_class[name] = {
            "n": int(own.sum()),
            "n_patients": len(np.unique(patients[own])),
            "coverage": _share(covered[own], patients[own]),
            "mean_size": patient_mean(sizes[own], patients[own]),
        }
    return {
        "level": level,
        "coverage": _share(covered, patients),
        "mean_size": patient_mean(sizes, patients),
        "single": _share(sizes == 1, patients),
        "per_class": per_class,
    }


def _at_risk(predictions, decision, unsure, risk):
    """Answers and errors at the operating point for an error; null where validation patients do not allow it."""
    point = unsure.abstention.point(risk)
    if point is None:
        return {
            "risk": risk,
            "log_odds": None,
            "bound": None,
            "lowest_risk": unsure.abstention.lowest_risk(),
            "answered": None,
            "error": None,
            "answered_per_class": None,
        }
    answered = unsure.answered(predictions.logits, decision, point)
    patients, truth = predictions.patient_ids, predictions.y_true
    wrong = decision.labels(predictions.logits) != truth
    return {
        "risk": risk,
        "log_odds": point.log_odds,
        "bound": point.bound,
        "lowest_risk": unsure.abstention.lowest_risk(),
        "answered": _share(answered, patients),
        "error": patient_share(wrong, answered, patients),
        "answered_per_class": {
            name: _share(answered[truth == k], patients[truth == k]) for k, name in enumerate(predictions.classes)
        },
    }


def _share(success, patient_ids):
    return patient_share(success, np.ones(len(success), bool), patient_ids)


def risk_coverage(predictions, decision):
    """The error among answered patients over the share that is answered, as the threshold falls; patients count once.

    Args:
        predictions: `Predictions`, one image or more.
        decision: `Decision`.

    Returns:
        (answered, error): float64 arrays, 0-1; one entry for each distinct sureness, answered rising to 1.

    Source: El-Yaniv and Wiener (2010), risk-coverage curve.
    """
    sure = sureness(predictions.logits, decision)
    wrong = decision.labels(predictions.logits) != predictions.y_true
    weights = patient_weights(predictions.patient_ids)
    values, group = np.unique(-sure, return_inverse=True)
    answered = np.cumsum(np.bincount(group, weights=weights, minlength=len(values)))
    errors = np.cumsum(np.bincount(group, weights=weights * wrong, minlength=len(values)))
    return answered / weights.sum(), np.minimum(errors / answered, 1.0)


def highest_error_shown(answered, error, ends):
    """The upper end of the axis on which a risk-coverage curve is drawn.

    Args:
        answered: as `risk_coverage` gives it.
        error: likewise.
        ends: upper ends of intervals that are drawn too, list of float.
    """
    return min(1.25 * max(_LEAST_SHOWN, *error[answered >= _SPARSE], *ends), 1.05)
