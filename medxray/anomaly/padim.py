"""PaDiM: the Gaussian of the patch features at each position, and the distance to it as Keras layers."""

from dataclasses import dataclass

import numpy as np
from keras import layers, ops

from medxray.anomaly.choices import DIMENSIONS
from medxray.anomaly.score import MAP
from medxray.errors import ConfigError, DataError

RIDGE = 0.01  # epsilon of equation 1


@dataclass(frozen=True, eq=False)
class PadimFit:
    """What `padim_map` needs.

    Attributes:
        channels: int64 array (d,), ascending.
        mean: float32 array (h*w,d).
        whitening: float32 array (h*w,d,d), W with W W^T = inverse covariance, upper triangular.
    """

    channels: np.ndarray
    mean: np.ndarray
    whitening: np.ndarray

    def graph(self, patches):
        """The layers behind patches (N,h,w,D): map (N,h,w) and largest distance (N,1,1), keras tensors."""
        distances = padim_map(patches, channels=self.channels, mean=self.mean, whitening=self.whitening)
        return distances, ops.max(distances, axis=(1, 2), keepdims=True)


def fit_padim(patches, *, dimensions=DIMENSIONS, seed=0):
    """Estimate mean and covariance of the patch features at each position in one pass.

    Sigma = sum (x - mu)(x - mu)^T / (n - 1) + 0.01 I over the images: equation 1 of Defard et al. (2020),
    arXiv:2011.08785, with their random choice of channels (section III-C; 100 for ResNet18, 550 for WideResNet50).
    Sums are in float64, relative to the mean of the first batch. W is the transposed inverse of the Cholesky factor.

    Args:
        patches: patches.Patches of normal images, at least two. With fewer images than `dimensions` the ridge alone
            decides about the directions that were never seen.
        dimensions: channels that are kept, at least 1; where there are fewer, all.
        seed: of the choice of channels.

    Returns:
        PadimFit. Memory: about 3 * 8 * h*w * dimensions^2 bytes (190 MB for 784 positions and 100 channels).

    Raises:
        ConfigError: `dimensions` below 1.
        DataError: fewer than two images, or features that are not finite.
    """
    if dimensions < 1:
        raise ConfigError(f"--dimensions must be at least 1. Received {dimensions}.")
    if patches.images < 2:
        raise DataError(f"PaDiM needs at least 2 normal images. Received {patches.images}. Add images.")
    channels = choose_channels(patches.dimensions, dimensions, seed=seed)
    mean, covariance = _moments(patches, channels)
    if not np.isfinite(covariance).all():
        raise DataError("The features of the normal images are not finite. Use other weights.")
    covariance += RIDGE * np.eye(len(channels))
    whitening = np.linalg.inv(np.linalg.cholesky(covariance)).swapaxes(1, 2)
    return PadimFit(channels, mean.astype(np.float32), whitening.astype(np.float32))


def choose_channels(total, dimensions, *, seed):
    """Choose `dimensions` of `total` channels at random; int64 array, ascending, all of them where there are fewer."""
    return np.sort(np.random.default_rng(seed).choice(total, min(dimensions, total), replace=False))


def _moments(patches, channels):
    """Mean (p,d) and covariance (p,d,d) over the images, float64."""
    shift, total, products = None, 0.0, 0.0
    for batch in patches.vectors():
        values = batch[:, :, channels].transpose(1, 0, 2).astype(np.float64)  # (p, b, d)
        if shift is None:
            shift = values.mean(axis=1, keepdims=True)
        values -= shift
        total = total + values.sum(axis=1)
        products = products + values.swapaxes(1, 2) @ values
    offset = total / patches.images
    products -= patches.images * offset[:, :, None] * offset[:, None, :]
    return shift[:, 0] + offset, products / (patches.images - 1)


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
