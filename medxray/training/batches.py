"""tf.data of training batches in an order that depends on (seed, epoch) only."""

import numpy as np
import tensorflow as tf

from medxray.data.augment import PARAMETERS


def epoch_order(count, *, seed, epoch):
    """Permutation of `count` rows for one epoch, int64 (count,)."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def cached_batches(activations, labels, *, order, batch_size, weights):
    """Batches of cached activations.

    Args:
        activations: float16 array (n, ...), usually memory-mapped.
        labels: int array (n,).
        order: int array of row numbers.
        batch_size: rows per batch; the last one may be smaller.
        weights: float32 array (n,) of sample weights.

    Returns:
        tf.data.Dataset of (float32 activations, labels, weights) with known cardinality.
    """
    parts = [order[at : at + batch_size] for at in range(0, len(order), batch_size)]

    def read():
        for rows in parts:
            yield activations[rows], labels[rows], weights[rows]

    signature = (
        tf.TensorSpec((None, *activations.shape[1:]), tf.float16),
        tf.TensorSpec((None,), tf.int64),
        tf.TensorSpec((None,), tf.float32),
    )
    dataset = tf.data.Dataset.from_generator(read, output_signature=signature)
    dataset = dataset.map(lambda rows, truth, weight: (tf.cast(rows, tf.float32), truth, weight))
    return dataset.apply(tf.data.experimental.assert_cardinality(len(parts))).prefetch(4)


def image_batches(image_set, rows, *, batch_size, weights, epoch):
    """Batches of images with augmentation parameters, for training without a cache.

    Args:
        image_set: image_set.ImageSet.
        rows: int array of row numbers in the wished order.
        batch_size: rows per batch.
        weights: float32 array over all rows of the image set.
        epoch: number of the epoch, which selects the augmentation; None gives no augmentation.

    Returns:
        tf.data.Dataset of ((float32 images, parameters), labels, weights) with known cardinality.
    """
    if epoch is None:
        parameters = np.zeros((len(rows), PARAMETERS), np.float32)
    else:
        parameters = image_set.parameters(rows, epoch)
    truth = tf.data.Dataset.from_tensor_slices((parameters, image_set.labels[rows], weights[rows]))
    dataset = tf.data.Dataset.zip(image_set.images(rows), truth).batch(batch_size)
    dataset = dataset.map(lambda images, rest: ((images, rest[0]), rest[1], rest[2]))
    count = -(-len(rows) // batch_size)
    return dataset.apply(tf.data.experimental.assert_cardinality(count)).prefetch(4)
