"""Mixup: pairs of training images, their labels and weights are averaged.

Source: Zhang et al. (2018), mixup, arXiv:1710.09412, section 2; deviations: a share for each image instead of one for
the batch; an image is mixed with the one at the mirrored place of its batch. On cached activations it is manifold mixup
(Verma et al. 2019, arXiv:1806.05236).
"""

import keras
import numpy as np
import tensorflow as tf


class Mix(keras.layers.Layer):
    """Averages each row of a batch with the row at the mirrored place; at inference rows stay as they are.

    Inputs: float (N,...), and shares (N,1), 0-1, of a row in its own average. Output: float (N,...).
    """

    def call(self, rows, shares, training=False):
        """Average in training."""
        return average(rows, shares) if training else rows

    def compute_output_shape(self, rows_shape, shares_shape):
        """The shape of the rows."""
        return rows_shape


def average(rows, shares):
    """Share * row + (1 - share) * mirrored row.

    Args:
        rows: float tensor (N,...).
        shares: float tensor (N,1), 0-1.
    """
    shares = tf.reshape(tf.cast(shares, rows.dtype), [-1] + [1] * (len(rows.shape) - 1))
    return shares * rows + (1 - shares) * tf.reverse(rows, [0])


def draw_shares(count, alpha, *, seed):
    """Shares of `count` images, float32 (count,1) from Beta(alpha, alpha), 0-1; equal seeds give equal shares."""
    return np.random.default_rng(seed).beta(alpha, alpha, size=(count, 1)).astype(np.float32)


def mix_batches(batches, alpha, *, count, batch_size, classes, seed):
    """Give batches what the layer Mix needs, and mix their labels and weights in the same way.

    Args:
        batches: tf.data.Dataset of (x, labels (b,), weights (b,)) with known cardinality.
        alpha: of the Beta distribution, above 0.
        count: number of images in all batches.
        batch_size: images in each batch but the last.
        classes: number of classes K.
        seed: int, or list of int.

    Returns:
        tf.data.Dataset of ((parts of x..., shares (b,1)), labels float32 (b,K), weights (b,)).
    """
    drawn = tf.data.Dataset.from_tensor_slices(draw_shares(count, alpha, seed=seed))

    def mix(batch, shares):
        inputs, labels, weights = batch
        soft = average(tf.one_hot(tf.reshape(labels, [-1]), classes), shares)
        return (*tf.nest.flatten(inputs), shares), soft, average(weights, shares)

    mixed = tf.data.Dataset.zip(batches, drawn.batch(batch_size)).map(mix)
    return mixed.apply(tf.data.experimental.assert_cardinality(int(batches.cardinality())))
