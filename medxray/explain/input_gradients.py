"""Gradients of the target score by the pixels: what methods share that differentiate down to the image."""

import tensorflow as tf

from medxray.explain.maps import target_scores


def input_gradient(network, images, targets_of):
    """One forward and one backward pass through the whole network.

    Args:
        network: as `passes.whole_network` builds it.
        images: float32 (N,H,W,C), 0-255.
        targets_of: as `methods` describes it.

    Returns:
        (gradient of `maps.target_scores` by the images, float32 (N,H,W,C), logits (N,K), pooled features (N,c)).
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits, pooled = network(images)
        scores = target_scores(logits, targets_of)
    return tape.gradient(scores, images), logits, pooled


def mean_gradient(network, targets, changed, count):
    """Mean gradient over changed versions of images, one version of all of them at a time.

    Args:
        network: as for `input_gradient`.
        targets: int32 (N,), the class to explain in each image.
        changed: function, int32 number of a version -> float32 (N,H,W,C).
        count: how many versions there are, int.

    Returns:
        float32 tensor (N,H,W,C).
    """

    def add(number, total):
        return number + 1, total + input_gradient(network, changed(number), lambda _: targets)[0]

    start = (0, tf.zeros_like(changed(tf.constant(0))))
    _, total = tf.while_loop(lambda number, _: number < count, add, start, parallel_iterations=1)
    return total / count


def strength(gradients):
    """The gradient of a pixel without its sign, the strongest of its channels: (N,H,W,C) -> (N,H,W)."""
    return tf.reduce_max(tf.abs(gradients), axis=-1)
