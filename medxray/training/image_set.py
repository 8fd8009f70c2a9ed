"""The images of a run: pixels, labels, content, sets, and how they are augmented."""

import dataclasses

import numpy as np
import tensorflow as tf

from medxray.data.augment import draw_parameters
from medxray.data.image_keys import image_keys


@dataclasses.dataclass(frozen=True, eq=False)
class ImageSet:
    """The images of a run.

    Attributes:
        source: pipeline.Source over all rows of the manifest.
        labels: int64 array (n,).
        digests: SHA-256 of each file's content.
        rows: dict split -> int array of row numbers; beside splits it may hold further sets such as a sample of train.
        policy: augment.Policy.
        seed: seed of the augmentation, `--augment-seed`.
        later: number of images of the run that are read after the fit; the cache keeps room for them.
    """

    source: object
    labels: np.ndarray
    digests: tuple[str, ...]
    rows: dict
    policy: object
    seed: int
    later: int = 0

    def samples(self, rows):
        """Stable numbers of images, int64 (n,), from their content, so that augmentation follows the image."""
        return image_keys(self.digests[row] for row in rows)

    def parameters(self, rows, view):
        """Augmentation parameters of some rows, float32 (n, PARAMETERS)."""
        bars = None if self.source.bars is None else self.source.bars[rows]
        return draw_parameters(self.policy, self.samples(rows), seed=self.seed, view=view, bars=bars)

    def images(self, rows):
        """tf.data of float32 images (h,w,c), not batched."""
        return self.source.dataset(rows).map(lambda image: tf.cast(image, tf.float32))
