"""Why a figure of a report is missing or must be read with care, in sentences."""

import numpy as np

from medxray.metrics.clustered import RELIABLE_PATIENTS
from medxray.metrics.statistics import AT_HALF, AT_PREVALENCES, EACH_CLASS, SPLIT

_WHERE = {
    SPLIT: "",
    AT_HALF: " at threshold 0.5",
    EACH_CLASS: " of a class",
    AT_PREVALENCES: " at other prevalences",
}
_FITTED_HERE = "Threshold and calibration were fitted on these images: figures that depend on them are optimistic."
_PERFECT = (
    "The classes are separated perfectly: figures whose intervals come from resampling have none. The lower bound of "
    "the AUROC is 1 - 3 / patients of the rarer class."
)


def split_notes(predictions, report, *, undefined, obstacle):
    """What the reader of one split's figures must know.

    Args:
        predictions: `Predictions` of the split.
        report: the figures, as `evaluate_split` puts them together.
        undefined: list of statistics.FigureKey, the figures that many resamples leave undefined.
        obstacle: why nothing was resampled, or None.

    Returns:
        list of str, one sentence or two each; empty for an ordinary split.
    """
    if not len(predictions):
        return [f"The split {predictions.split} has no images; nothing can be measured."]
    notes = [_FITTED_HERE] if report["fitted_here"] else []
    notes += _unknown_patients(predictions)
    notes += _missing_classes(predictions) + _never_predicted(predictions, report)
    if obstacle is not None:
        notes.append(f"Intervals from resampling patients are not given: {obstacle}.")
    if undefined:
        names = ", ".join(key.name + _WHERE[key.of] for key in undefined)
        notes.append(f"No interval by patient for {names}: undefined in more than 5 % of the resamples.")
    return notes + _few_patients(report) + _suspicious_scores(predictions, report)


def _unknown_patients(predictions):
    unknown, images = predictions.n_unknown, len(predictions)
    if not unknown:
        return []
    which = (
        "The patients are unknown" if unknown == images else f"The patients of {unknown} of {images} images are unknown"
    )
    return [f"{which}: intervals are by image there, and too narrow where a patient has several images."]


def _few_patients(report):
    patients = {name: entry["n_patients"] for name, entry in report["per_class"].items()}
    few = [f"{name} {count}" for name, count in patients.items() if 0 < count < RELIABLE_PATIENTS]
    text = f"Fewer than {RELIABLE_PATIENTS} patients of a class ({', '.join(few)}): the intervals may be too narrow."
    return [text] if few else []


def _missing_classes(predictions):
    counts = np.bincount(predictions.y_true, minlength=len(predictions.classes))
    missing = [name for name, count in zip(predictions.classes, counts, strict=True) if not count]
    if not missing:
        return []
    what = "AUROC, average precision, balanced accuracy and what else needs every class are null"
    return [f"The split has no images of {', '.join(missing)}: {what}."]


def _never_predicted(predictions, report):
    return [
        f"No image was called {name}: what divides by that number is null."
        for name, figures in report["per_class"].items()
        if not figures["n_predicted"]
    ]


def _suspicious_scores(predictions, report):
    if (predictions.logits == predictions.logits[0]).all() and len(predictions) > 1:
        return ["The model gives the same scores to all images."]
    if report["auroc"]["value"] == 1.0:
        return [_PERFECT]
    return []
