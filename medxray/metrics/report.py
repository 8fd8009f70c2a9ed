"""Everything that is said about one split, as one JSON object."""

import numpy as np

from medxray.metrics import reliability, shares
from medxray.metrics.bootstrap import MAX_UNDEFINED, N_BOOT, bootstrap, percentile_interval, resampling_obstacle
from medxray.metrics.calibration import Calibration
from medxray.metrics.clustered import auroc_estimate, mean_auroc_estimate
from medxray.metrics.failures import error_records
from medxray.metrics.intervals import estimate
from medxray.metrics.notes import split_notes
from medxray.metrics.statistics import (
    AT_HALF,
    AT_PREVALENCES,
    EACH_CLASS,
    PREVALENCES,
    SPLIT,
    FigureKey,
    SplitStatistics,
)
from medxray.metrics.subgroups import subgroup_report
from medxray.metrics.threshold_rules import parse_rule

HEADLINE = (
    "auroc",
    "accuracy",
    "sensitivity",
    "specificity",
    "precision",
    "npv",
    "f1",
    "average_precision",
    "balanced_accuracy",
    "mcc",
    "brier",
    "nll",
)
LABELLED = ("accuracy", "sensitivity", "specificity", "precision", "npv", "f1", "balanced_accuracy", "mcc")
FORMAT = 2  # of metrics.json: ci95 is by patient
AXES = "rows are true classes, columns predicted ones, both in the order of classes"


def evaluate_split(predictions, decision, *, other=None, n_boot=N_BOOT, seed=0, image_stats=None, n_errors=12):
    """Evaluate one split.

    All intervals are by patient: those of shares by `shares.share`, those of the AUROC by `clustered.clustered_auroc`,
    those of other figures by the patient-cluster stratified bootstrap. Images are ranked by calibrated log-odds; Brier
    score and NLL use calibrated probabilities. With three or more classes the headline figures are means over the
    classes, each against the others. What cannot be computed is None, with the reason in `notes`.

    Args:
        predictions: `Predictions` of the split; it may be empty or hold one class only.
        decision: `Decision` with calibration and threshold.
        other: `Decision` that is not used, whose figures stand beside; None: there is none.
        n_boot: bootstrap resamples.
        seed: of the bootstrap.
        image_stats: DataFrame aligned with the predictions: width and height in pixels, brightness 0-255.
        n_errors: most confident errors listed per kind.

    Returns:
        dict of JSON values; docs/evaluation.md describes each key.
    """
    statistics = SplitStatistics(predictions, decision)
    obstacle = resampling_obstacle(predictions.patient_ids, predictions.y_true)
    figures = _figures(predictions, statistics, n_boot=n_boot if obstacle is None else 0, seed=seed)
    matrix = _counts(statistics, statistics.y_pred)
    subgroups, subgroup_notes = subgroup_report(predictions, decision, image_stats=image_stats)
    report = {"split": predictions.split, "n": len(predictions), "n_patients": predictions.n_patients}
    report |= {"n_unknown": predictions.n_unknown}
    report |= {"classes": list(predictions.classes), "positive": predictions.positive}
    log_odds = predictions.log_odds(decision.calibration)
    report |= _headline(predictions, figures, statistics) | {"auroc": _auroc(predictions, log_odds)}
    report |= {
        "prevalence": _prevalence(predictions),
        "per_class": _per_class(predictions, figures, statistics, log_odds),
        "confusion_matrix": matrix.tolist(),
        "confusion_matrix_axes": AXES,
        "threshold": decision.to_dict()["threshold"],
        "decided_on": decision.decided_on,
        "at_threshold_0.5": _at_half(predictions, figures, statistics),
        "other_decision": None if other is None else _other_decision(predictions, other),
        "ppv_npv_at_prevalence": _at_prevalences(figures) if predictions.is_binary else None,
        "fitted_here": decision.fitted_on(predictions.split),
        "cost": _cost(matrix, decision),
        "calibration": _calibration(predictions, decision),
        "subgroups": subgroups,
        "errors": error_records(predictions, decision, k=n_errors),
        "bootstrap": {"resamples": n_boot if obstacle is None else 0, "unit": "patient", "seed": seed},
    }
    report["notes"] = (
        split_notes(predictions, report, undefined=figures.undefined(), obstacle=obstacle) + subgroup_notes
    )
    return report


def _figures(predictions, statistics, *, n_boot, seed):
    point = {name: value[0] for name, value in statistics(np.ones((1, len(predictions)))).items()}
    samples = {}
    if n_boot:
        samples = bootstrap(statistics, predictions.patient_ids, predictions.y_true, n_boot=n_boot, seed=seed)
    return Figures(point, samples)


class Figures:
    """Point estimates with their bootstrap intervals, looked up by FigureKey.

    Args:
        point: dict FigureKey -> value, or array (m,) of values of classes or prevalences.
        samples: dict FigureKey -> resampled values (n_boot,) or (n_boot, m); empty when nothing was resampled.
    """

    def __init__(self, point, samples):
        self._point, self._samples = point, samples

    def __call__(self, key, index=None):
        """The estimate of a figure (of one class or prevalence: `index`) with its bootstrap interval."""
        value = self.value(key, index)
        return estimate(value, self.interval(key, index) if np.isfinite(value) else None)

    def value(self, key, index=None):
        """The value alone, float or nan."""
        return float(self._point[key] if index is None else self._point[key][index])

    def interval(self, key, index=None):
        """(low, high), or None where nothing was resampled or the resamples say nothing, see `without_interval`."""
        if not self._samples:
            return None
        samples = self._samples[key]
        found = percentile_interval(samples if index is None else samples[:, index])
        return None if found is None or found[0] == found[1] else found

    def undefined(self):
        """FigureKeys of the figures that have a value but that too many resamples leave undefined, list."""
        undefined = {key: np.isnan(samples).mean(axis=0) > MAX_UNDEFINED for key, samples in self._samples.items()}
        return [key for key, lacking in undefined.items() if (lacking & np.isfinite(self._point[key])).any()]


def _counts(statistics, labels):
    matrix = statistics.matrix(labels, np.ones((1, len(labels))))[0]
    return np.rint(matrix).astype(np.int64)


def _overall(predictions, figures, y_pred, names, *, of=SPLIT):
    """Figures of the whole split with given labels: shares by patient where they are shares, else resampled."""
    patients = predictions.patient_ids
    found = {"accuracy": shares.accuracy(predictions.y_true, y_pred, patients)}
    if predictions.is_binary:
        found |= shares.shares_of_class(predictions.y_true, y_pred, 1, patients)
    return {name: found[name] if name in found else figures(FigureKey(name, of)) for name in names}


def _headline(predictions, figures, statistics):
    return _overall(predictions, figures, statistics.y_pred, HEADLINE)


def _at_half(predictions, figures, statistics):
    """The figures that depend on a threshold, at 0.5 and for the same images."""
    if not statistics.binary:
        return None
    matrix = _counts(statistics, statistics.y_half)
    result = _overall(predictions, figures, statistics.y_half, LABELLED, of=AT_HALF)
    return {"threshold": 0.5, "confusion_matrix": matrix.tolist()} | result


def _other_decision(predictions, other):
    """What a decision that is not used would give: labels by it, and its expected calibration error."""
    labels = other.labels(predictions.logits)
    found = {"accuracy": shares.accuracy(predictions.y_true, labels, predictions.patient_ids)}
    if predictions.is_binary:
        found |= shares.shares_of_class(predictions.y_true, labels, 1, predictions.patient_ids)
    calibration = _calibration(predictions, other)
    return {
        "decided_on": other.decided_on,
        "threshold": other.to_dict()["threshold"],
        **{name: found[name] for name in ("accuracy", "sensitivity", "specificity") if name in found},
        "temperature": calibration["temperature"],
        "bias": calibration["bias"],
        "ece": calibration["ece_after"],
        "messages": list(other.messages),
    }


def _per_class(predictions, figures, statistics, log_odds):
    result = {}
    for k, name in enumerate(predictions.classes):
        members = predictions.y_true == k
        entry = {"n": int(members.sum()), "n_patients": len(np.unique(predictions.patient_ids[members]))}
        entry["n_predicted"] = int((statistics.y_pred == k).sum())
        entry |= shares.shares_of_class(predictions.y_true, statistics.y_pred, k, predictions.patient_ids)
        entry["f1"] = figures(FigureKey("f1", EACH_CLASS), k)
        entry["auroc"] = auroc_estimate(members, log_odds[:, k], predictions.patient_ids)
        entry["average_precision"] = figures(FigureKey("average_precision", EACH_CLASS), k)
        result[name] = entry
    return result


def _auroc(predictions, log_odds):
    """AUROC of the positive class, or the mean over three or more classes, each against the others."""
    if predictions.is_binary:
        return auroc_estimate(predictions.is_positive, log_odds[:, 1], predictions.patient_ids)
    return mean_auroc_estimate(predictions.y_true, log_odds, predictions.patient_ids)


def _prevalence(predictions):
    if not len(predictions):
        return None
    counts = np.bincount(predictions.y_true, minlength=len(predictions.classes)) / len(predictions)
    return dict(zip(predictions.classes, counts.tolist(), strict=True))


def _at_prevalences(figures):
    ppv, npv = FigureKey("ppv", AT_PREVALENCES), FigureKey("npv", AT_PREVALENCES)
    return [
        {"prevalence": prevalence, "ppv": figures(ppv, index), "npv": figures(npv, index)}
        for index, prevalence in enumerate(PREVALENCES)
    ]


def _cost(matrix, decision):
    rule = None if decision.threshold is None else parse_rule(decision.threshold.rule)
    if rule is None or rule.kind != "cost" or not matrix.sum():
        return None
    total = rule.cost_fn * matrix[1, 0] + rule.cost_fp * matrix[0, 1]
    return {"fn": rule.cost_fn, "fp": rule.cost_fp, "per_image": float(total / matrix.sum())}


def _calibration(predictions, decision):
    """The fitted numbers, and how well the probabilities hold before (as the model gives them) and after."""
    errors = {}
    for when, calibration in (("before", Calibration()), ("after", decision.calibration)):
        probabilities = predictions.probabilities(calibration)
        confidence, outcome = reliability.confidence_and_outcome(probabilities, predictions.y_true)
        terms = reliability.nll_terms(predictions.log_probabilities(calibration), predictions.y_true)
        errors[f"ece_{when}"] = reliability.ece(confidence, outcome)
        errors[f"brier_{when}"] = _mean(reliability.brier_terms(probabilities, predictions.y_true))
        errors[f"nll_{when}"] = _mean(terms)
    fitted = decision.calibration
    return {"temperature": fitted.temperature, "bias": list(fitted.biases(len(predictions.classes)))} | {
        name: value if np.isfinite(value) else None for name, value in errors.items()
    }


def _mean(values):
    return float(np.mean(values)) if len(values) else np.nan
