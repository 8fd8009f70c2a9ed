"""What a family of shifts is given of a batch of images."""

from typing import NamedTuple

import tensorflow as tf


class ShiftBatch(NamedTuple):
    """Images, where they lie, and what is drawn for them.

    Attributes:
        images: float32 tensor (n,H,W,C), 0-255; height and width are known.
        bars: float32 tensor (n,4), width in pixels of the black bars above, below, left and right of each image.
        inside: float32 tensor (n,H,W,1): 1 between the bars, else 0.
        uniform: float32 tensor (n, families.DRAWS), from 0 to below 1.
        seeds: int32 tensor (n,2).
    """

    images: tf.Tensor
    bars: tf.Tensor
    inside: tf.Tensor
    uniform: tf.Tensor
    seeds: tf.Tensor

    @property
    def size(self):
        """(height, width) of the input in pixels."""
        return tuple(self.images.shape[1:3])

    def box(self):
        """Where the images lie: (top, left, height, width) in pixels, float32 tensors (n,)."""
        above, below, left, right = tf.unstack(self.bars, axis=1)
        height, width = self.size
        return above, left, height - above - below, width - left - right

    def grid(self):
        """Row and column of each pixel, counted from the upper left corner of its image: float32 (n,H,1), (n,1,W)."""
        top, left, _, _ = self.box()
        height, width = self.size
        y = tf.range(height, dtype=tf.float32)[None, :, None] - top[:, None, None]
        x = tf.range(width, dtype=tf.float32)[None, None, :] - left[:, None, None]
        return y, x

    def signs(self, column):
        """-1 or 1 for each image by a column of `uniform`: float32 tensor (n,)."""
        return tf.where(self.uniform[:, column] < 0.5, -1.0, 1.0)
