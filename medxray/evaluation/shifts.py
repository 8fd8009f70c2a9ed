"""Shifted views of the images behind predictions -> logits -> their figures."""

import numpy as np

from medxray.data.shifts.families import FAMILIES, VIEWS
from medxray.data.shifts.views import Shiftable
from medxray.metrics.shifts import evaluate_shifts
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
    """`metrics.shifts.evaluate_shifts` of the logits of some views, dict of JSON values."""
    return storage.plain(evaluate_shifts(predictions, run.decision, logits, groups=_GROUP_OF))


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
