"""Logits of shifted views of validation images, whose frozen layers are computed once for all trials."""

import itertools

import numpy as np
import tensorflow as tf

from medxray.data.shifts.families import FAMILIES, GROUPS, SEED, families_of
from medxray.data.shifts.views import Shiftable
from medxray.evaluation.shifts import logits_of_draws
from medxray.models.classifier import suffix
from medxray.models.inference import compiled, logits_model, predict_rows
from medxray.system.storage import text_sha256
from medxray.training.modes import plan_stages

_BATCH = 32
_VIEWS = "shifted"  # name of the rows
COMPUTATION = 1  # to be raised when what a family does is changed


def shifted_logits(fitted):
    """The logits of one view of each group of shifts, whose family and severity are drawn for each image.

    Where the layers before those that were trained are cached, the views pass them once for all trials and go into the
    same cache.

    Args:
        fitted: training.classifier.FittedClassifier.

    Returns:
        dict group -> float32 array (n,K), the validation images in order.
    """
    cut = plan_stages(fitted.config)[-1].cut
    if fitted.features is None or not fitted.features.has(cut, augmented=False):
        forward = compiled(logits_model(fitted.model))
        return logits_of_draws(lambda images: forward(images)[0].numpy(), fitted.data.pictures("val"), batch=_BATCH)
    views = ShiftedImages(fitted.data.fitted, "val")
    activations = fitted.features.of(views, (cut,)).read(cut, _VIEWS)
    logits = predict_rows(suffix(fitted.model, cut), activations)
    return dict(zip(GROUPS, logits.reshape(len(GROUPS), -1, logits.shape[-1]), strict=True))


class ShiftedImages:
    """Shifted views as an image_set.ImageSet has images: those of the first group, then those of the next.

    The cache knows a view by the content of its image, the group, and the strengths of its families.

    Args:
        images: image_set.ImageSet.
        name: of its rows whose views these are.
    """

    def __init__(self, images, name):
        self._images, self._rows = images, images.rows[name]
        self.source, self.policy, self.seed, self.later = images.source, images.policy, images.seed, 0
        self.rows = {_VIEWS: np.arange(len(GROUPS) * len(self._rows))}
        strengths = {
            group: ";".join(f"{family}={FAMILIES[family].values}" for family in families_of(group)) for group in GROUPS
        }
        self.digests = tuple(
            text_sha256(images.digests[row], group, strengths[group], f"seed={SEED}", f"computation={COMPUTATION}")
            for group in GROUPS
            for row in self._rows
        )

    def images(self, rows):
        """tf.data of float32 images (h,w,c), 0-255, not batched."""
        shape = (*self.source.size, self.source.channels)
        return tf.data.Dataset.from_generator(
            lambda: self._views(rows), output_signature=tf.TensorSpec(shape, tf.float32)
        )

    def _views(self, rows):
        count = len(self._rows)
        for group, members in itertools.groupby(map(int, rows), key=lambda row: row // count):
            own = self._rows[[row % count for row in members]]
            for start in range(0, len(own), _BATCH):
                part = own[start : start + _BATCH]
                pixels = next(iter(self._images.images(part).batch(len(part))))
                bars = None if self.source.bars is None else self.source.bars[part]
                shiftable = Shiftable(pixels, self._images.samples(part), bars=bars)
                yield from shiftable.view_of_group(GROUPS[group]).numpy()
