"""How good predictions of shifted views are: each view, their mean and the worst, with intervals by patient."""

import dataclasses

import numpy as np

from medxray.metrics import metrics, reliability, shares
from medxray.metrics.bootstrap import N_BOOT, bootstrap, percentile_interval, resampling_obstacle
from medxray.metrics.clustered import (
    MIN_PATIENTS,
    clustered_auroc,
    fewest_patients,
    mean_auroc,
    placements,
)
from medxray.metrics.intervals import estimate

LABELLED = ("sensitivity", "specificity", "balanced_accuracy")  # figures at the stored threshold
FIGURES = ("auroc", *LABELLED, "ece")
AVERAGED = ("precision", "f1", "average_precision")  # of which there is the mean over views alone


def evaluate_shifts(predictions, decision, logits, *, groups, n_boot=N_BOOT, seed=0):
    """Evaluate the predictions of shifted views of the same images.

    Labels are those of the stored decision. Means are over views. With three or more classes all but balanced accuracy
    are means over the classes, each against the others.

    Args:
        predictions: `Predictions` of the unchanged images.
        decision: `Decision` with calibration and threshold.
        logits: dict (family, severity) -> float array (n, K) in the order of the predictions; one view or more.
        groups: dict family -> name of its group.
        n_boot: bootstrap resamples.
        seed: of the bootstrap.

    Returns:
        dict of JSON values. `mean_auroc` (ci95 by `clustered.clustered_auroc`, the mean over views as one AUROC) and
        `balanced_accuracy`, `sensitivity`, `specificity`, `precision`, `f1`, `average_precision` (ci95 by the
        patient-cluster bootstrap, with the same patients in all views), each with value and ci95; `mean_ece`; `worst`:
        the view with the lowest auroc, and the one with the lowest balanced_accuracy; `groups`: the means of each
        group; `clean`: the FIGURES of the unchanged images; `families`: for each family and severity its group, n, the
        FIGURES, and ci95 of each but ECE. What cannot be computed is None.

    Source: Hendrycks and Dietterich (2019), means over corruptions and severities; deviations: AUROC and figures at
    a stored threshold instead of error rates, and no division by those of a reference model.
    """
    views = {view: _View(dataclasses.replace(predictions, logits=values), decision) for view, values in logits.items()}
    resampled = _Resampled(predictions, list(views.values()), n_boot=n_boot, seed=seed)
    names = list(views)
    families = {}
    for at, ((family, severity), view) in enumerate(views.items()):
        entry = {"group": groups[family], "n": len(predictions)} | view.figures()
        families.setdefault(family, {})[str(severity)] = entry | {"ci95": view.intervals(resampled, at)}
    of_groups = {}
    for group in dict.fromkeys(groups[family] for family, _ in names):
        members = [at for at, (family, _) in enumerate(names) if groups[family] == group]
        of_groups[group] = _means(list(views.values()), members, resampled)
    overall = _means(list(views.values()), list(range(len(names))), resampled)
    return {
        **overall,
        "worst": {figure: _worst(families, figure) for figure in ("auroc", "balanced_accuracy")},
        "n": len(predictions),
        "n_patients": predictions.n_patients,
        "clean": _View(predictions, decision).figures(),
        "groups": of_groups,
        "families": families,
    }


class _View:
    """Figures of one view: its AUROCs by class and its labels.

    Args:
        predictions: `Predictions` of the view.
        decision: `Decision`.
    """

    def __init__(self, predictions, decision):
        self._predictions = predictions
        self.labels = decision.labels(predictions.logits)
        self.log_odds = predictions.log_odds(decision.calibration)
        self._probabilities = predictions.probabilities(decision.calibration)
        self._sides = _sides(predictions)
        self.auroc = self._auroc()

    def _auroc(self):
        """ClusteredAuroc; its value alone with too few patients, nan where a class has no images or all."""
        if any(side.all() or not side.any() for side in self._sides.values()):
            return np.nan
        patients = self._predictions.patient_ids
        scores = [(side, self.log_odds[:, k]) for k, side in self._sides.items()]
        if min(fewest_patients(side, patients) for side in self._sides.values()) < MIN_PATIENTS:
            return float(np.mean([placements(*pair)[0].mean() for pair in scores]))
        return mean_auroc([clustered_auroc(*pair, patients) for pair in scores])

    def figures(self):
        """The FIGURES, dict; None where undefined."""
        matrix = metrics.confusion(
            self._predictions.y_true,
            self.labels,
            len(self._predictions.classes),
            weights=np.ones((1, len(self.labels))),
        )[0]
        by_class = metrics.class_metrics(matrix)
        classes = list(self._sides)
        found = {name: by_class[name][classes].mean() for name in ("sensitivity", "specificity")}
        found |= {"auroc": _value(self.auroc), "balanced_accuracy": metrics.balanced_accuracy(matrix)}
        found["ece"] = reliability.ece(
            *reliability.confidence_and_outcome(self._probabilities, self._predictions.y_true)
        )
        return {name: _number(found[name]) for name in FIGURES}

    def intervals(self, resampled, at):
        """95 % intervals of the figures but ECE, dict; this is view number `at` of the resampled ones."""
        found = {"auroc": _interval_of_auroc(self.auroc)} | {name: resampled.interval(name, [at]) for name in LABELLED}
        if self._predictions.is_binary:
            truth, patients = self._predictions.y_true, self._predictions.patient_ids
            parts = shares.shares_of_class(truth, self.labels, 1, patients)
            found |= {name: parts[name]["ci95"] for name in ("sensitivity", "specificity")}
        return found


class _Resampled:
    """Figures of labels of several views under resampling of patients, the same ones for all views.

    Args:
        predictions: `Predictions` of the unchanged images.
        views: list of _View.
        n_boot: resamples.
        seed: of the resamples.
    """

    def __init__(self, predictions, views, *, n_boot, seed):
        self._truth, self._labels = predictions.y_true, np.stack([view.labels for view in views], axis=1)
        self._classes, sides = range(len(predictions.classes)), _sides(predictions)
        self._counted = list(sides)
        self._rankings = [[metrics.Ranking(side, view.log_odds[:, k]) for view in views] for k, side in sides.items()]
        patients = predictions.patient_ids
        whole = np.ones((1, len(predictions)))
        self._point = self._figures(whole)
        self._samples = {}
        if resampling_obstacle(patients, predictions.y_true) is None:
            self._samples = bootstrap(self._figures, patients, predictions.y_true, n_boot=n_boot, seed=seed)

    def _figures(self, weights):
        """Weights (B,n) -> dict name -> (B, views)."""
        by_class = [self._of_class(weights, k) for k in self._classes]
        counted = [by_class[k] for k in self._counted]
        found = {name: np.mean([of[name] for of in counted], axis=0) for name in by_class[0]}
        ranked = [[ranking.areas(weights)[1] for ranking in views] for views in self._rankings]
        return found | {
            "balanced_accuracy": np.mean([of["sensitivity"] for of in by_class], axis=0),
            "average_precision": np.mean(ranked, axis=0).T,
        }

    def _of_class(self, weights, k):
        own, called = self._truth == k, self._labels == k
        right, total = weights[:, own] @ called[own].astype(float), weights[:, own].sum(axis=1, keepdims=True)
        all_called = weights @ called.astype(float)
        return {
            "sensitivity": _ratio(right, total),
            "specificity": _weighted_share(weights[:, ~own], ~called[~own]),
            "precision": _ratio(right, all_called),
            "f1": _ratio(2 * right, all_called + total),
        }

    def mean(self, name, members):
        """The mean of a figure over some views, with its interval, as `intervals.estimate`."""
        return estimate(self._point[name][0, members].mean(), self.interval(name, members))

    def interval(self, name, members):
        """[low, high] of the mean of a figure over some views; None where resamples say nothing."""
        if not self._samples or np.isnan(self._point[name][0, members]).any():
            return None
        found = percentile_interval(self._samples[name][:, members].mean(axis=1))
        return None if found is None or found[0] == found[1] else list(found)


def _sides(predictions):
    """Class -> whether each image is of it: of the positive class, or of every one with three or more classes."""
    classes = [len(predictions.classes) - 1] if predictions.is_binary else range(len(predictions.classes))
    return {k: predictions.y_true == k for k in classes}


def _weighted_share(weights, success):
    """Share of successes (m,V) under weights (B,m): (B,V), nan where nothing has a weight."""
    return _ratio(weights @ success.astype(np.float64), weights.sum(axis=1, keepdims=True))


def _ratio(part, whole):
    """Part / whole, nan where the whole is 0."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def _means(views, members, resampled):
    aurocs = [views[at].auroc for at in members]
    clustered = not any(isinstance(auroc, float) for auroc in aurocs)
    mean = mean_auroc(aurocs) if clustered else float(np.mean([_value(auroc) for auroc in aurocs]))
    found = {"mean_auroc": estimate(_value(mean), _interval_of_auroc(mean))}
    found |= {name: resampled.mean(name, members) for name in (*LABELLED, *AVERAGED)}
    eces = [views[at].figures()["ece"] for at in members]
    return found | {"mean_ece": None if None in eces else float(np.mean(eces))}


def _value(auroc):
    return auroc if isinstance(auroc, float) else auroc.value


def _interval_of_auroc(auroc):
    return None if isinstance(auroc, float) else list(auroc.interval())


def _number(value):
    return float(value) if np.isfinite(value) else None


def _worst(families, figure):
    """The view with the lowest figure, with its family, severity, value and interval; None where none has one."""
    entries = [
        {"family": family, "severity": int(severity), "value": entry[figure], "ci95": entry["ci95"][figure]}
        for family, severities in families.items()
        for severity, entry in severities.items()
        if entry[figure] is not None
    ]
    return min(entries, key=lambda entry: entry["value"], default=None)
