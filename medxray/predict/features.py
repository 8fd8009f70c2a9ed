"""Pooled features of images, collected while they stream by. No TensorFlow."""

from typing import NamedTuple

import numpy as np


class ImageFeatures(NamedTuple):
    """Pooled features of images that can be read.

    Attributes:
        images: list of n paths and ImageBytes.
        vectors: float32 array (n,c) in their order.
        digests: list of SHA-256 of their encoded bytes, hexadecimal.
    """

    images: list
    vectors: np.ndarray
    digests: list


class FeatureCollector:
    """Takes the features of batches and gives them as one ImageFeatures.

    Args:
        size: length c of a vector.
    """

    def __init__(self, size):
        self._images, self._digests, self._vectors = [], [], [np.zeros((0, size), np.float32)]

    def add(self, batch, vectors):
        """Take a data.image_stream.ImageBatch of b images and their features, float32 (b,c)."""
        self._images += batch.of_readable(batch.images)
        self._digests += batch.of_readable(batch.digests)
        self._vectors.append(vectors[[not reason for reason in batch.reasons]])

    def collected(self):
        """What was taken, as ImageFeatures."""
        return ImageFeatures(self._images, np.concatenate(self._vectors), self._digests)
