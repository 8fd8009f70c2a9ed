"""What an adaptation changes on the patients it was not fitted to: figures before and after, with intervals."""

import numpy as np

from medxray.metrics import reliability, shares
from medxray.metrics.bootstrap import N_BOOT, bootstrap, percentile_interval, resampling_obstacle
from medxray.metrics.intervals import estimate

BALANCED = "balanced_accuracy"
_IMAGES_OF_A_BIN = 10


def recall_names(sample):
    """What the share of right labels of each class is called, in the order of the classes."""
    if sample.is_binary:
        return ("specificity", "sensitivity")
    return tuple(f"sensitivity {name}" for name in sample.classes)


def before_and_after(sample, before, after, weights, *, n_boot=N_BOOT, seed=0):
    """Figures of a labelled sample by the stored decision and, patients left out, by the adapted one.

    NLL and ECE count the images by their weights, so they are those at the prevalence of the place. ECE has bins of
    equal mass, at most 15 and no fewer than 10 images in each where there are 20.

    Args:
        sample: `Predictions`.
        before: adaptation.Judged by the stored decision.
        after: adaptation.Judged by cross-fitting.
        weights: float array (n,), mean 1.
        n_boot: resamples of patients.
        seed: of the resamples.

    Returns:
        dict: before, after and change (after - before, the same patients in both), each a dict figure -> value and
        ci95: nll, ece, then for two classes sensitivity and specificity, with more the sensitivity of each class, and
        balanced_accuracy; and ece_bins.
    """
    bins = int(np.clip(len(sample) // _IMAGES_OF_A_BIN, 2, reliability.BINS))
    sides = {
        "before": _figures(sample, before, weights, bins),
        "after": _figures(sample, after, weights, bins),
    }

    def both(draws):
        found = {name: figures(draws) for name, figures in sides.items()}
        found["change"] = {name: found["after"][name] - found["before"][name] for name in found["before"]}
        return {(side, name): value for side, figures in found.items() for name, value in figures.items()}

    point = {key: float(value[0]) for key, value in both(np.ones((1, len(sample)))).items()}
    samples = {}
    if resampling_obstacle(sample.patient_ids, sample.y_true) is None:
        samples = bootstrap(both, sample.patient_ids, sample.y_true, n_boot=n_boot, seed=seed)
    found = {"before": {}, "after": {}, "change": {}, "ece_bins": bins}
    for (side, name), value in point.items():
        found[side][name] = estimate(value, percentile_interval(samples[side, name]) if samples else None)
    for side, judged in (("before", before), ("after", after)):
        found[side] |= _recalls(sample, judged.labels)
    return found


def _figures(sample, judged, weights, bins):
    """Function draws (B, n) -> dict figure -> float64 array (B,)."""
    terms = reliability.nll_terms(judged.log_probabilities, sample.y_true)
    event = reliability.confidence_and_outcome(np.exp(judged.log_probabilities), sample.y_true)
    right = judged.labels == sample.y_true
    members = [sample.y_true == k for k in range(len(sample.classes))]

    def figures(draws):
        counted = draws * weights
        found = {"nll": counted @ terms / counted.sum(axis=1)}
        found["ece"] = reliability.weighted_ece(*event, counted, bins=bins)
        recalls = [draws[:, own] @ right[own] / draws[:, own].sum(axis=1) for own in members]
        named = dict(zip(recall_names(sample), recalls, strict=True))
        return found | dict(reversed(named.items())) | {BALANCED: np.mean(recalls, axis=0)}

    return figures


def _recalls(sample, labels):
    """Share of right labels of each class with Wilson's interval by patient, as in every report."""
    found = {}
    for k, name in enumerate(recall_names(sample)):
        share = shares.share(labels == k, sample.y_true == k, sample.patient_ids)
        found[name] = {"value": share["value"], "ci95": share["ci95"]}
    return found
