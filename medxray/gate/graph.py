"""The gate as TensorFlow operations: the same in `medxray predict` and in the exported graph."""

import tensorflow as tf

from medxray.gate.parts import DESCRIBED, PART_REASONS, TURN_REASONS
from medxray.gate.statistics import LAYOUT, describe


class GateGraph(tf.Module):
    """Judges images by a gate.

    Args:
        gate: parts.Gate.
    """

    def __init__(self, gate):
        super().__init__(name="gate")
        self.distances = [Distance(getattr(gate, name)) for name in DESCRIBED]
        self.scales = tf.Variable(gate.scales, trainable=False, name="scales")

    def __call__(self, images, pooled):
        """Judge a batch.

        Args:
            images: float32 tensor (N,H,W,C), 0-255: the model's input.
            pooled: float tensor (N,c), the model's pooled features of the same images.

        Returns:
            dict: `gate_score` float32 (N,), at most 1 where the image is accepted; `in_distribution` bool (N,);
            `gate_reason` string (N,), "" where it is accepted.
        """
        values, turns = measure(self.distances, *describe(images), tf.cast(pooled, tf.float32))
        scaled = values / self.scales
        score = tf.reduce_max(scaled, axis=1)
        accepted = score <= 1.0  # false for nan
        turn = tf.argmin(turns, axis=1)
        turned = (turn > 0) & (tf.reduce_min(turns, axis=1) <= self.scales[0])
        named = tf.gather(tf.constant(TURN_REASONS), turn)
        part = tf.gather(tf.constant(PART_REASONS), tf.argmax(scaled, axis=1))
        reason = tf.where(accepted, "", tf.where(turned, named, part))
        return {"gate_score": score, "in_distribution": accepted, "gate_reason": reason}


class Distance(tf.Module):
    """Mahalanobis distance from a gaussian.Gaussian, divided by the root of the number of dimensions."""

    def __init__(self, gaussian):
        super().__init__()
        self.mean = tf.Variable(gaussian.mean, trainable=False, name="mean")
        self.whitening = tf.Variable(gaussian.whitening, trainable=False, name="whitening")

    def __call__(self, rows):
        """float32 tensor (N,d) -> (N,)."""
        return tf.sqrt(tf.reduce_mean(tf.square(tf.matmul(rows - self.mean, self.whitening)), axis=1))


def measure(distances, layout, tone, texture, features):
    """The parts of the gate before they are scaled.

    Args:
        distances: Distance of layout, tone, texture and features.
        layout: float32 tensor, the layout that `statistics.describe` gives.
        tone: float32 tensor, the tone that `statistics.describe` gives.
        texture: float32 tensor, the texture that `statistics.describe` gives.
        features: float32 tensor (N,c), the pooled features of the model.

    Returns:
        values: float32 (N, 5), in the order of `parts.PARTS`. The last one is the layout's distance divided by the
            smallest distance of a turned or inverted version: above 1 such a version fits better than the image.
        turns: float32 (N, 15), distances of the layout as it is and of the versions of `parts.TURN_REASONS`: upside
            down and turned, each also mirrored, and all of them inverted. A mirrored image is no other image here.

    Source: Lee et al. (2018), A simple unified framework for detecting out-of-distribution samples, eq. 2;
    deviations: one Gaussian for all classes with a shrunk covariance, and pixel descriptions beside the features.
    """
    turns = tf.stack([distances[0](version) for version in _versions(layout)], axis=1)
    values = [turns[:, 0], *(part(rows) for part, rows in zip(distances[1:], (tone, texture, features), strict=True))]
    ratio = turns[:, 0] / tf.maximum(tf.reduce_min(turns[:, 1:], axis=1), 1e-6)
    return tf.stack([*values, ratio], axis=1), turns


def _versions(layout):
    """The layout, and how it was if the image is changed: float32 tensors (N,256) in the order of `TURN_REASONS`."""
    square = tf.reshape(layout, (-1, LAYOUT, LAYOUT))
    across = tf.transpose(square, (0, 2, 1))
    mirrored = tf.reverse(square, [2])
    upside_down = [tf.reverse(square, [1]), tf.reverse(square, [1, 2])]
    turned = [across, tf.reverse(across, [1]), tf.reverse(across, [2]), tf.reverse(across, [1, 2])]
    changed = [*upside_down, *turned, -square, -mirrored, *(-version for version in (*upside_down, *turned))]
    return [tf.reshape(version, tf.shape(layout)) for version in (square, *changed)]
