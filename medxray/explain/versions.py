"""The scores of many changed versions of images: what methods share that cover or change parts of an image."""

import tensorflow as tf

from medxray.explain.maps import target_scores

_AT_A_TIME = 32  # changed images that go through the network together
_ROUNDING = 1e-5  # relative: scores that differ by less are equal


def version_scores(network, images, targets, change, versions):
    """Compute the target score of each version of each image.

    Args:
        network: as `passes.whole_network` builds it.
        images: float32 (N,H,W,C), N at least 1.
        targets: int32 (N,), the class to explain in each image.
        change: function, (images float32 (b,H,W,C), int32 (b,), which of the N images each one is, int32 (b,), numbers
            of the versions to make) -> float32 (b,H,W,C).
        versions: int32 (N,V), numbers of the versions of each image.

    Returns:
        float32 tensor (N,V).
    """
    total = tf.size(versions)
    together = _rounded_up(total, _rounded_up(total, _AT_A_TIME))  # as many batches as need be, of one size
    owners = tf.repeat(tf.range(tf.shape(versions)[0]), tf.shape(versions)[1])
    numbers = tf.reshape(versions, (-1,))

    def scores_from(start):
        some = tf.minimum(start + tf.range(together), total - 1)  # the last ones are repeated to fill up the batch
        rows = tf.gather(owners, some)
        logits, _ = network(change(tf.gather(images, rows), rows, tf.gather(numbers, some)))
        return target_scores(logits, lambda _: tf.gather(targets, rows))

    starts = tf.range(0, total, together)
    found = tf.map_fn(scores_from, starts, fn_output_signature=tf.float32, parallel_iterations=1)
    return tf.reshape(tf.reshape(found, (-1,))[:total], tf.shape(versions))


def _rounded_up(total, divisor):
    return (total + divisor - 1) // divisor


def every_version(images, count):
    """The versions 0 to count - 1 of each image, int32 (N,count)."""
    return tf.tile(tf.range(count)[None], (tf.shape(images)[0], 1))


def differ(scores):
    """Whether the scores of an image's versions, float32 (N,V), differ by more than rounding: float32 (N,), 0 or 1.

    Where they do not, nothing depends on what was changed, and a map scaled to 0-1 would show noise.
    """
    spread = tf.reduce_max(scores, axis=1) - tf.reduce_min(scores, axis=1)
    return tf.cast(spread > _ROUNDING * tf.reduce_max(tf.abs(scores), axis=1), tf.float32)
