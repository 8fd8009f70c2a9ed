"""PaDiM as Keras layers: patch features -> Mahalanobis distance at each position."""

import numpy as np
from keras import layers, ops

from medxray.anomaly.score import MAP


def padim_map(patches, *, channels, mean, whitening):
    """Distance of each patch from the Gaussian of its position.

    M = sqrt((x - mu)^T Sigma^-1 (x - mu)) = |(x - mu)^T W| with W W^T = Sigma^-1: equation 2 of Defard et al. (2020),
    PaDiM: a patch distribution modeling framework for anomaly detection and localization, arXiv:2011.08785.
    The numbers are weights of built-in layers that do not train: the choice of channels is a dense layer of zeros and
    ones, the subtraction of the mean a normalisation with variance 1.
    Deviations: the patches are PatchCore's (two layers, averaged over 3x3 positions) where the paper takes three layers
    as they are, and the map is not smoothed, which the published implementations do by a Gaussian of 4 pixels.

    Args:
        patches: keras tensor (N,h,w,D).
        channels: int array (d,), the channels that are used, different from each other.
        mean: float array (h*w,d), row after row of the grid, in the order of `channels`.
        whitening: float array (h*w,d,d), W of each position.

    Returns:
        float32 keras tensor (N,h,w), at least 0: distances in standard deviations.
    """
    _, height, width, total = patches.shape
    positions, used = height * width, len(channels)
    frozen = {"dtype": "float32", "trainable": False}
    select = layers.Dense(used, use_bias=False, name="padim_channels", **frozen)
    centre = layers.BatchNormalization(center=False, scale=False, epsilon=0.0, name="padim_mean", **frozen)
    whiten = layers.EinsumDense("bpd,pde->bpe", output_shape=(positions, used), name="padim_whitening", **frozen)
    tensor = layers.Reshape((positions * used,), name="padim_vectors")(select(patches))
    tensor = layers.Reshape((positions, used), name="padim_positions")(centre(tensor))
    distances = ops.sqrt(ops.sum(ops.square(whiten(tensor)), axis=-1))
    select.set_weights([np.eye(total, dtype=np.float32)[:, channels]])
    centre.set_weights([np.ravel(mean), np.ones(positions * used)])
    whiten.set_weights([np.asarray(whitening)])
    return layers.Reshape((height, width), dtype="float32", name=MAP)(distances)
