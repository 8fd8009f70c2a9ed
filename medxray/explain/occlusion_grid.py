"""The patches that occlusion covers, by number, and the map that their values make."""

import itertools

import numpy as np
import tensorflow as tf


def grids_of(size, *, patch, stride, sizes):
    """The grids of several sizes of patches: each size is half of `patch` wider than the one before.

    Args:
        size: (H, W) in pixels; a patch is at most as wide as the shorter side.
        patch: side of the smallest patch in pixels.
        stride: from one patch to the next in pixels, for all sizes.
        sizes: how many sizes, at least 1.

    Returns:
        list of OcclusionGrid, the smallest patch first; no size twice.
    """
    sides = sorted({min(patch + step * patch // 2, *size) for step in range(sizes)})
    return [OcclusionGrid(size, side, stride) for side in sides]


class OcclusionGrid:
    """Square patches at regular distances; the last ones end at the right and the bottom edge.

    Args:
        size: (H, W) in pixels.
        patch: side of a patch in pixels, at most H and W.
        stride: from one patch to the next in pixels.

    Attributes:
        patch: side of a patch in pixels.
        count: number of patches; they are numbered row by row.
    """

    def __init__(self, size, patch, stride):
        self.patch = patch
        self._rows, self._columns = (_covered(side, patch, stride) for side in size)
        self.count = len(self._rows) * len(self._columns)

    def squares(self, numbers):
        """Where patches lie: int32 (b,) -> float32 (b,H,W), 0 or 1."""
        row, column = numbers // len(self._columns), numbers % len(self._columns)
        return tf.gather(self._rows, row)[:, :, None] * tf.gather(self._columns, column)[:, None, :]

    def spread(self, numbers, values):
        """Mean value over the patches that cover a pixel.

        Args:
            numbers: int32 (N,V), patches; none twice in an image.
            values: float32 (N,V), their values.

        Returns:
            float32 tensor (N,H,W); 0 where no patch lies.
        """
        total, times = (self._sum(numbers, these) for these in (values, tf.ones_like(values)))
        return tf.math.divide_no_nan(total, times)

    def means(self, maps):
        """Mean of maps (N,H,W) inside every patch, float32 (N,count)."""
        area = tf.reduce_sum(self._rows[0]) * tf.reduce_sum(self._columns[0])
        sums = tf.einsum("nhw,ph,qw->npq", maps, self._rows, self._columns)
        return tf.reshape(sums, (-1, self.count)) / area

    def coarse(self):
        """(every second patch of every second row and those at the far edges, all others): two lists of numbers."""
        rows, columns = len(self._rows), len(self._columns)
        chosen = itertools.product(_every_second(rows), _every_second(columns))
        first = [row * columns + column for row, column in chosen]
        return first, sorted(set(range(self.count)) - set(first))

    def _sum(self, numbers, values):
        images = tf.repeat(tf.range(tf.shape(numbers)[0])[:, None], tf.shape(numbers)[1], axis=1)
        shape = (tf.shape(numbers)[0], self.count)
        grid = tf.scatter_nd(tf.stack([images, numbers], axis=-1), values, shape)
        grid = tf.reshape(grid, (-1, len(self._rows), len(self._columns)))
        return tf.einsum("npq,ph,qw->nhw", grid, self._rows, self._columns)


def _covered(side, patch, stride):
    """Which pixels of a side each position of the patch covers: float32 array (positions,side), 0 or 1."""
    starts = [*range(0, side - patch, stride), side - patch]
    pixels = np.arange(side)
    return np.array([(pixels >= start) & (pixels < start + patch) for start in starts], np.float32)


def _every_second(count):
    return sorted({*range(0, count, 2), count - 1})
