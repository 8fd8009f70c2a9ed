"""How like the training images some images are: what the gate says of each, and how far its features lie out."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from medxray.system import progress


class Appearance(NamedTuple):
    """Some images as the gate sees them.

    Attributes:
        refused: bool array (n,), the gate refuses the image.
        distance: float64 array (n,), Mahalanobis distance of the pooled features from those of the training images,
            divided by the root of their number; about 1 for a training image.
    """

    refused: np.ndarray
    distance: np.ndarray


def appearance_of(pictures, *, forward, judge, gate, batch):
    """Look at some images.

    Args:
        pictures: evaluation.pictures.Pictures.
        forward: function float32 images (b,H,W,C), 0-255 -> (logits, pooled features) tensors.
        judge: `verdicts.judge_of` of the gate.
        gate: parts.Gate.
        batch: images at a time.

    Returns:
        Appearance, in the order of the pictures.
    """
    refused, distance = [np.zeros(0, bool)], [np.zeros(0)]
    with progress.track(len(pictures), "Input gate") as bar:
        for pixels in pictures.batches(batch):
            images = tf.cast(pixels, tf.float32)
            pooled = forward(images)[1]
            refused.append(~judge(images, pooled)["in_distribution"].astype(bool))
            distance.append(distances(pooled.numpy(), gate.features))
            bar.advance(len(pooled))
    return Appearance(np.concatenate(refused), np.concatenate(distance))


def distances(features, gaussian):
    """Mahalanobis distance of each row (n, d) from a gaussian.Gaussian over the root of d: float64 array (n,)."""
    whitened = (np.asarray(features, np.float64) - gaussian.mean) @ gaussian.whitening.astype(np.float64)
    return np.sqrt((whitened**2).mean(axis=1))
