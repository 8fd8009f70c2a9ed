"""A run on other data beside its own test split, and how far the other data are from those of its training."""

import logging

import numpy as np

from medxray.errors import DataError
from medxray.evaluation.pictures import Pictures
from medxray.metrics import reliability
from medxray.metrics.bootstrap import bootstrap, percentile_interval, resampling_obstacle
from medxray.metrics.clustered import auroc_estimate
from medxray.metrics.intervals import estimate
from medxray.metrics.prediction_table import read_predictions
from medxray.metrics.report import evaluate_split
from medxray.metrics.shares import share
from medxray.runs.images import own_manifest
from medxray.runs.prevalence import stored_prevalence

log = logging.getLogger(__name__)
FIGURES = ("auroc", "sensitivity", "specificity", "balanced_accuracy", "ece", "nll", "brier", "refused")
FAR = {"refused": 0.10, "farther": 0.75, "prevalence": 0.10}  # beyond these the other data are far from the training
TEST = "test"
_GONE = "The run's own test images were not looked at by the gate: %s"


def beside_test(run, report, predictions, pictures):
    """Compare other data with the run's own test split, both by the stored decision.

    Args:
        run: trained_run.Run.
        report: JSON object of the other data, as `report.report_run` returns it.
        predictions: its Predictions.
        pictures: `evaluation.pictures.Pictures` of the same rows.

    Returns:
        dict of JSON values: internal (None where the run has no predictions of a test split) and external, each with
        n, n_patients, n_unknown, prevalence and the FIGURES, with intervals by patient; farther: in what share of
        pairs an image of the other data lies farther from the training images than one of the test split (0.5 where
        they are alike); decision_prevalence; far: which of "refused", "farther" and "prevalence" are beyond FAR;
        line: all that in words; notes.
    """
    own, notes = own_test_predictions(run), []
    outside = run.appearance(pictures)
    inside, patients, gone = (None, None, "") if outside is None else _own_appearance(run)
    if gone:
        notes.append(_GONE % gone)
    if outside is None:
        notes.append("The run has no input gate: refusals and distances are not known. Fit one: medxray gate RUN")
    external = _side(report, predictions, run.decision, outside, predictions.patient_ids)
    internal = None
    if own is not None:
        internal = _side(evaluate_split(own, run.decision, n_errors=0), own, run.decision, inside, patients)
    else:
        notes.append("The run holds no predictions of a test split of its own to stand beside.")
    found = {
        "internal": internal,
        "external": external,
        "farther": farther((inside, patients), (outside, predictions.patient_ids)),
        "decision_prevalence": stored_prevalence(run),
        "notes": notes,
    }
    found["far"] = far_in(found)
    return found


def own_test_predictions(run):
    """The Predictions of the run's own test split, those of a later evaluation first; None where it has none."""
    for files in (run.directory.own_evaluation(TEST), run.directory):
        if files.predictions_file.exists():
            found = read_predictions(files.predictions_file).get(TEST)
            if found is not None and len(found):
                return found
    return None


def _own_appearance(run):
    """(Appearance of the run's own test images, their patients, why there is none or "")."""
    try:
        source, manifest = run.form.readable(own_manifest(run, TEST))
    except DataError as error:
        return None, None, str(error)
    if not len(manifest):
        return None, None, "there are none."
    return run.appearance(Pictures(source, np.arange(len(manifest)))), manifest.patients(), ""


def _side(report, predictions, decision, seen, patients):
    """One column of the table."""
    counts = {name: report[name] for name in ("n", "n_patients", "n_unknown", "prevalence")}
    figures = {name: _plain(report[name]) for name in FIGURES if name in report}
    figures["ece"] = ece_estimate(predictions, decision)
    figures["refused"] = estimate(np.nan)
    if seen is not None:
        figures["refused"] = _plain(share(seen.refused, np.ones(len(seen.refused), bool), patients))
    return counts | {name: figures[name] for name in FIGURES}


def _plain(figure):
    return {"value": figure["value"], "ci95": figure["ci95"]}


def ece_estimate(predictions, decision):
    """ECE of calibrated probabilities with a bootstrap interval by patient, as JSON (`value`, `ci95`)."""
    if not len(predictions):
        return estimate(np.nan)
    event = reliability.confidence_and_outcome(predictions.probabilities(decision.calibration), predictions.y_true)

    def statistic(weights):
        return {"ece": reliability.weighted_ece(*event, weights)}

    value = float(statistic(np.ones((1, len(predictions))))["ece"][0])
    if resampling_obstacle(predictions.patient_ids, predictions.y_true) is not None:
        return estimate(value)
    samples = bootstrap(statistic, predictions.patient_ids, predictions.y_true)
    return estimate(value, percentile_interval(samples["ece"]))


def farther(inside, outside):
    """In what share of pairs an image of the second group lies farther out than one of the first, with interval.

    Args:
        inside: (Appearance or None, str array of patients) of the first group.
        outside: the same of the second one.

    Returns:
        dict with value and ci95, by patient; None where a group was not looked at.
    """
    (first, own), (second, other) = inside, outside
    if first is None or second is None:
        return None
    is_other = np.repeat([False, True], [len(first.distance), len(second.distance)])
    patients = np.array([f"own:{name}" for name in own] + [f"other:{name}" for name in other])
    return auroc_estimate(is_other, np.concatenate([first.distance, second.distance]), patients)


def far_in(found):
    """In what the other data are far from the training, list of the names in FAR; see `beside_test`."""
    far = [
        name
        for name, figure in (("refused", found["external"]["refused"]), ("farther", found["farther"]))
        if figure is not None and _at_least(figure) > FAR[name]
    ]
    here, stored = found["external"]["prevalence"], found["decision_prevalence"]
    if here and stored and max(abs(here[name] - stored[name]) for name in stored) > FAR["prevalence"]:
        far.append("prevalence")
    return far


def _at_least(figure):
    """The lower end of an interval; the value where there is none; -1 without a value."""
    if figure["value"] is None:
        return -1.0
    return figure["ci95"][0] if figure["ci95"] else figure["value"]
