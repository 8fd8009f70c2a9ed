"""The same figures for parts of a split: disease subtypes, image sizes, brightness."""

from collections import Counter

import numpy as np

from medxray.metrics import shares
from medxray.metrics.clustered import auroc_estimate

QUANTILES = 4
MOST_SUBTYPES = 10


def subgroup_report(predictions, decision, *, image_stats=None):
    """Figures by subtype, image size and brightness.

    Args:
        predictions: `Predictions`.
        decision: `Decision` that labels them.
        image_stats: DataFrame aligned with the predictions, with columns width and height in pixels and brightness
            0-255; None when unknown.

    Returns:
        report: dict of group ("subtype", "image_size", "brightness") to dict of part to figures. The MOST_SUBTYPES
            most frequent subtypes are given; the AUROC of one sets its images against all negative ones. The parts
            of the others are quarters, "q1" the lowest, with their range.
        notes: list of str, why a group or a subtype is missing.
    """
    report, notes = {}, []

    def figures(mask, against=None):
        return _figures(predictions, decision, mask, against=against)

    report["subtype"] = _by_subtype(predictions, figures)
    finer = len(set(predictions.subtypes or ()) - {""})
    if finer > MOST_SUBTYPES:
        notes.append(f"Of {finer} finer labels the {MOST_SUBTYPES} most frequent are given as subgroups.")
    for group, values, unit in _image_measures(image_stats):
        parts = _quantile_parts(values)
        if len(parts) < 2:
            notes.append(f"Subgroups by {group} are not given: it is the same for all images, or unknown.")
        report[group] = {
            name: {"range": [float(values[mask].min()), float(values[mask].max())], "unit": unit} | figures(mask)
            for name, mask in (parts.items() if len(parts) > 1 else ())
        }
    if image_stats is None:
        notes.append("Subgroups by image size and brightness are not given: the images were not measured.")
    return report, notes


def _by_subtype(predictions, figures):
    if predictions.subtypes is None:
        return {}
    subtypes = np.array(predictions.subtypes, dtype=str)
    eligible = predictions.is_positive if predictions.is_binary else np.ones(len(predictions), dtype=bool)
    negative = ~predictions.is_positive if predictions.is_binary else None
    names = frequent_subtypes(subtypes[eligible])
    return {name: figures(eligible & (subtypes == name), against=negative) for name in names}


def frequent_subtypes(subtypes):
    """The MOST_SUBTYPES most frequent of some subtypes (iterable of str, "" = none), a sorted list."""
    counts = Counter(str(name) for name in subtypes if name)
    return sorted(sorted(counts, key=lambda name: (-counts[name], name))[:MOST_SUBTYPES])


def _image_measures(image_stats):
    if image_stats is None:
        return []
    pixels = (image_stats["width"] * image_stats["height"]).to_numpy(dtype=np.float64)
    return [
        ("image_size", pixels, "pixels"),
        ("brightness", image_stats["brightness"].to_numpy(dtype=np.float64), "mean grey value, 0-255"),
    ]


def _quantile_parts(values):
    """Quarters of the known values; equal values share a part, so there may be fewer than four."""
    known = np.isfinite(values)
    if not known.any():
        return {}
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, QUANTILES + 1)[1:-1]))
    part = np.searchsorted(edges, values, side="left")
    masks = [known & (part == index) for index in np.unique(part[known])]
    return {f"q{index + 1}": mask for index, mask in enumerate(masks)}


def _figures(predictions, decision, mask, *, against):
    """Counts and figures of the images in `mask`; for the AUROC those of `against` (all negative) are added."""
    part = predictions.where(mask)
    labels, patients = decision.labels(part.logits), part.patient_ids
    result = {
        "n": len(part),
        "n_patients": part.n_patients,
        "accuracy": shares.accuracy(part.y_true, labels, patients),
    }
    if predictions.is_binary:
        figures = shares.shares_of_class(part.y_true, labels, 1, patients)
        result["n_positive"] = int(part.is_positive.sum())
        result["sensitivity"] = figures["sensitivity"]
        if against is None:
            result["specificity"] = figures["specificity"]
        ranked = part if against is None else predictions.where(mask | against)
        log_odds = ranked.log_odds(decision.calibration)[:, 1]
        result["auroc"] = auroc_estimate(ranked.is_positive, log_odds, ranked.patient_ids)
    return result
