"""Shifted views of the images behind predictions -> logits -> their figures."""

import numpy as np

from medxray.data.shifts.families import FAMILIES, GROUPS, VIEWS
from medxray.data.shifts.views import Shiftable, one_view_of_each_group
from medxray.metrics.shifts import evaluate_shifts
from medxray.metrics.unsure_report import report_unsure_shifted
from medxray.models.inference import compiled, logits_model
from medxray.system import progress, storage

_GROUP_OF = {name: row.group for name, row in FAMILIES.items()}


def report_shifts(run, predictions, pictures):
    """Evaluate all images under all families and severities; see `metrics.shifts.evaluate_shifts`.

    Args:
        run: trained_run.Run.
        predictions: Predictions of the unchanged images.
        pictures: evaluation.pictures.Pictures of the same rows.

    Returns:
        dict of JSON values.
    """
    return evaluated(run, predictions, ShiftedLogits(run).predict(pictures, VIEWS))


def evaluated(run, predictions, logits):
    """`metrics.shifts.evaluate_shifts` of the logits of some views, dict of JSON values.

    Where the run has a decision for comparison, its means stand in `other_decision`; where it has prediction sets and
    abstention, how these do over all views stands in `unsure`.
    """
    found = evaluate_shifts(predictions, run.decision, logits, groups=_GROUP_OF)
    if run.other_decision is not None:
        other = evaluate_shifts(predictions, run.other_decision, logits, groups=_GROUP_OF)
        kept = ("balanced_accuracy", "sensitivity", "specificity", "mean_ece")
        found["other_decision"] = {name: other[name] for name in kept} | {"decided_on": run.other_decision.decided_on}
    if run.unsure is not None:
        found["unsure"] = report_unsure_shifted(predictions, run.decision, run.unsure, logits)
    return storage.plain(found)


def logits_of_draws(forward, pictures, *, batch):
    """The logits of one view from each group of shifts, whose family and severity are drawn for each image.

    Args:
        forward: function float32 images (b,H,W,C), 0-255 -> array of logits (b,K).
        pictures: evaluation.pictures.Pictures, one image or more.
        batch: images at a time.

    Returns:
        dict group -> float32 array (n,K).
    """
    parts = {group: [] for group in GROUPS}
    with progress.track(len(pictures) * len(GROUPS), "Shifted validation views") as bar:
        for pixels, keys, bars in pictures.keyed_batches(batch):
            for group, view in one_view_of_each_group(pixels, keys, bars=bars).items():
                parts[group].append(forward(view))
                bar.advance(len(pixels))
    return {group: np.concatenate(found) for group, found in parts.items()}


class ShiftedLogits:
    """Computes the logits of shifted views.

    Args:
        run: trained_run.Run.
    """

    def __init__(self, run):
        self._forward, self._batch = compiled(logits_model(run.model)), run.batch

    def predict(self, pictures, views):
        """The logits of views of some images, each of which is decoded once.

        Args:
            pictures: evaluation.pictures.Pictures, one image or more.
            views: iterable of (family, severity).

        Returns:
            dict (family, severity) -> float32 array (n,K).
        """
        parts = {view: [] for view in views}
        with progress.track(len(pictures) * len(parts), "Shifted views") as bar:
            for pixels, keys, bars in pictures.keyed_batches(self._batch):
                batch = Shiftable(pixels, keys, bars=bars)
                for view, found in parts.items():
                    found.append(self.of_batch(batch, view))
                    bar.advance(len(pixels), view[0])
        return {view: np.concatenate(found) for view, found in parts.items()}

    def of_batch(self, batch, view):
        """The logits of one view, (family, severity), of a `Shiftable`: float32 array (n,K)."""
        return self._forward(batch.view(*view))[0].numpy()
