"""A method in one file: how far each patch is from the mean of all normal patches."""

from dataclasses import dataclass

import numpy as np
from keras import layers, ops

from medxray.anomaly.methods import PATCH_OPTIONS, Method
from medxray.anomaly.score import MAP


@dataclass(frozen=True, eq=False)
class MeanPatch:
    """The mean of all patches, float64 array (d,)."""

    mean: np.ndarray

    def graph(self, patches):
        """Map (N,h,w) and largest distance (N,1,1) of patches (N,h,w,d)."""
        frozen = {"dtype": "float32", "trainable": False}
        centre = layers.BatchNormalization(center=False, scale=False, epsilon=0.0, name="mean_patch", **frozen)
        distances = ops.sqrt(ops.sum(ops.square(centre(patches)), axis=-1))
        centre.set_weights([self.mean, np.ones_like(self.mean)])
        return layers.Identity(dtype="float32", name=MAP)(distances), ops.max(distances, axis=(1, 2), keepdims=True)


def fit_mean(patches):
    """The MeanPatch of patches.Patches."""
    total = sum(batch.sum(axis=(0, 1), dtype=np.float64) for batch in patches.vectors())
    return MeanPatch(total / (patches.images * patches.positions))


def _trainer(run, config, images, listeners):
    from medxray.anomaly.patch_trainer import PatchTrainer

    return PatchTrainer(run, config, images, fit=fit_mean)


ROW = Method(
    name="mean-patch",
    trainer=_trainer,
    options={**PATCH_OPTIONS, "image_score": "mean"},
    unit="distance to the mean patch",
    title="mean patch of the normal images",
    raw_scores={"mean": "the mean distance of its patches", "max": "the largest distance of its patches"},
    card_options=("image_score",),
)
