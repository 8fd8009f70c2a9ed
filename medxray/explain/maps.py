"""What all explanation methods share: targets, scaling to 0-1, and the enlargement to the input's resolution."""

from typing import NamedTuple

import tensorflow as tf

_EPSILON = 1e-7  # as in tf-keras-vis: a constant map becomes 0, not NaN


class Explained(NamedTuple):
    """What a method says about a batch.

    Attributes:
        maps: float32 tensor (N,h,w), 0-1, at the resolution of the layer; a constant map is 0.
        logits: float32 tensor (N,K).
        pooled: tensor (N,c), the model's pooled features.
    """

    maps: tf.Tensor
    logits: tf.Tensor
    pooled: tf.Tensor


def default_targets(classes, calibration):
    """The rule for the class that is explained when nobody names one.

    Args:
        classes: number of classes K.
        calibration: `metrics.calibration.Calibration` of the run.

    Returns:
        function, logits (N,K) -> int32 tensor (N,): with two classes the positive one (index 1), whatever the
        prediction; with more the predicted one, which has the highest calibrated probability.
    """
    if classes == 2:
        return fixed_target(1)
    return lambda logits: tf.argmax(calibration.scores(tf.cast(logits, tf.float64)), axis=-1, output_type=tf.int32)


def fixed_target(index):
    """The rule that explains one class in every image: function, logits (N,K) -> int32 tensor (N,)."""
    return lambda logits: tf.fill(tf.shape(logits)[:1], index)


def target_scores(logits, targets_of):
    """What is explained in each image: the logit of the class less the mean of the other logits, (N,).

    A probability depends on the differences of the logits alone. The logit by itself would give other maps for models
    that give equal probabilities, and none where the other logits carry the answer.
    """
    classes = logits.shape[-1]
    wanted = tf.gather(logits, targets_of(logits), axis=1, batch_dims=1)
    return (classes * wanted - tf.reduce_sum(logits, axis=1)) / (classes - 1)


def scaled(maps):
    """Each map (N,h,w) to 0-1; a constant one becomes 0.

    The range is taken after the shift: `high - low + epsilon` would be regrouped by TensorFlow's
    graph optimiser, which loses epsilon and makes a constant map NaN.
    """
    shifted = maps - tf.reduce_min(maps, axis=(1, 2), keepdims=True)
    return shifted / (tf.reduce_max(shifted, axis=(1, 2), keepdims=True) + _EPSILON)


def upsample(maps, size):
    """Bring heatmaps to the input's resolution: the one upsampling of the project.

    Args:
        maps: float32 (N,h,w), 0-1.
        size: (height, width) in pixels.

    Returns:
        float32 tensor (N,height,width), 0-1: bilinear with half-pixel centres, edges repeated.
    """
    return tf.image.resize(tf.convert_to_tensor(maps)[..., None], size, method="bilinear")[..., 0]
