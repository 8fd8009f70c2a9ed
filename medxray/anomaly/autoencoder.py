"""The convolutional autoencoder: image -> bottleneck -> reconstruction, error map and score in one flat graph."""

import keras
import numpy as np
from keras import layers, ops

from medxray.anomaly.choices import AUTOENCODER_MINIMUM, LOSSES
from medxray.anomaly.score import MAP, RAW_SCORE, RECONSTRUCTION
from medxray.anomaly.similarity import ssim_map
from medxray.errors import ConfigError
from medxray.models.classifier import INPUT
from medxray.models.heads import POOLED
from medxray.models.normalization import MOMENTUM

TRAINING_LOSS, PLAIN_MSE = "training_loss", "plain_mse"
SSIM_SHARE = 0.84  # alpha of Zhao et al. (2017), section III.D
_FILTERS = (16, 32, 64, 128)
_ONE_GREY_LEVEL = 1 / 255
_DEVIATIONS = 6.0  # a standardised image is shown to SSIM with mean -3 to mean +3 deviations as 0 to 1


def build_autoencoder(*, image_size, channels, bottleneck, loss, standardize, seed):
    """Build an untrained autoencoder.

    Four convolutions 3x3 of stride 2 (16, 32, 64, 128 filters, batch normalisation, ReLU) lead to a dense bottleneck
    without activation; its mirror leads back. The decoder repeats pixels and convolves, since transposed convolutions
    leave a checkerboard (Odena, Dumoulin and Olah 2016, doi:10.23915/distill.00003). The last convolution is linear.

    The network sees, and is measured on, the image in the unit u: without `standardize` u is the image divided by 255;
    with it u is the image minus its own mean, divided by its own standard deviation over all pixels and channels, but
    at least by one grey level (1/255 of the range), which leaves a blank image finite. Then a change of brightness or
    contrast of the image changes neither map nor score, and the mean squared error is the share of the image's
    variance that the reconstruction leaves unexplained.

    The error at a pixel, averaged over channels, by `loss`:
        mse: squared difference in the unit u.
        ssim: 1 - structural similarity, see `similarity.ssim_map`; 0 to 2. Its data range of 1 is 0 to 255 of the
            image, or with `standardize` mean -3 to mean +3 deviations: equation 13 is made for positive images.
        mix: 0.84 (1 - structural similarity) + 0.16 absolute difference, both on the scale of `ssim`, after equation 10
            of Zhao, Gallo, Frosio and Kautz (2017), Loss functions for image restoration with neural networks,
            arXiv:1511.08861. Their SSIM is of several scales and their difference weighted by a Gaussian; here both
            are of one scale and unweighted.

    Args:
        image_size: height and width of the input in pixels, at least 32; any, but multiples of 16 need no cropping.
        channels: 1 or 3.
        bottleneck: numbers that an image is reduced to, at least 1.
        loss: "mse", "ssim" or "mix".
        standardize: bring each image to mean 0 and deviation 1 inside the graph.
        seed: of the initial weights.

    Returns:
        keras.Model: float32 images (N,H,W,channels), 0-255 -> `raw_score`. All outputs are float32 and those of layers:
            pooled: (N,bottleneck), the bottleneck.
            reconstruction: (N,H,W,channels), 0-255; standardisation undone, clipped to the range.
            anomaly_map: (N,H,W), the error at each pixel.
            training_loss, raw_score: (N,1), the mean of the map; the one is minimised, the other scores an image.
            plain_mse: (N,1), mean squared difference of image and `reconstruction` on the 0-1 scale of the image.

    Raises:
        ConfigError: an argument outside its range.
    """
    _check(image_size, bottleneck, loss)
    seeds = iter(np.random.default_rng(seed).integers(2**31, size=16).tolist())
    image = keras.Input((image_size, image_size, channels), name=INPUT)
    unit = layers.Rescaling(1 / 255, name="unit", dtype="float32")(image)
    mean, deviation = _mean_and_deviation(unit) if standardize else (0.0, 1.0)
    target = (unit - mean) / deviation
    rebuilt = _decode(*_encode(target, bottleneck, seeds), channels, seeds)
    # The mean comes first: Keras takes a second term with one long axis, here of images, for a bias of the channels.
    in_grey_levels = (mean + rebuilt * deviation) * 255.0
    reconstruction = layers.ReLU(max_value=255.0, name=RECONSTRUCTION, dtype="float32")(in_grey_levels)
    difference = layers.Rescaling(1 / 255, name="plain_difference", dtype="float32")(reconstruction - image)
    plain_mse = layers.Reshape((1,), name=PLAIN_MSE, dtype="float32")(_mean_over_images(difference * difference))
    error = ops.mean(_error(target, rebuilt, loss, standardize), axis=-1)
    anomaly_map = layers.Identity(name=MAP, dtype="float32")(error)
    training_loss = layers.Reshape((1,), name=TRAINING_LOSS, dtype="float32")(ops.mean(anomaly_map, axis=(1, 2)))
    # A functional model keeps only what its output depends on: the score passes by the plain figure to carry it along.
    both = layers.Concatenate(name="scores", dtype="float32")([training_loss, plain_mse])
    raw_score = layers.Identity(name=RAW_SCORE, dtype="float32")(both[:, :1])
    return keras.Model(image, raw_score, name="autoencoder")


def _check(image_size, bottleneck, loss):
    if image_size < AUTOENCODER_MINIMUM:
        raise ConfigError(
            f"--image-size for the autoencoder must be at least {AUTOENCODER_MINIMUM} pixels. Received {image_size}."
        )
    if bottleneck < 1:
        raise ConfigError(f"--bottleneck must be at least 1. Received {bottleneck}.")
    if loss not in LOSSES:
        raise ConfigError(f"--loss must be one of {', '.join(LOSSES)}. Received '{loss}'.")


def _mean_over_images(tensor):
    return ops.mean(tensor, axis=(1, 2, 3), keepdims=True)


def _mean_and_deviation(unit):
    mean = _mean_over_images(unit)
    centred = unit - mean
    # The limit is inside the root, so that its slope is finite for a blank image.
    return mean, ops.sqrt(ops.maximum(_mean_over_images(centred * centred), _ONE_GREY_LEVEL**2))


def _error(target, rebuilt, loss, standardize):
    if loss == "mse":
        difference = target - rebuilt
        return difference * difference
    if standardize:
        target, rebuilt = target / _DEVIATIONS + 0.5, rebuilt / _DEVIATIONS + 0.5
    dissimilarity = 1.0 - ssim_map(target, rebuilt)
    if loss == "ssim":
        return dissimilarity
    return SSIM_SHARE * dissimilarity + (1 - SSIM_SHARE) * ops.absolute(target - rebuilt)


def _encode(tensor, bottleneck, seeds):
    """(N,H,W,c) -> bottleneck (N,b), and (h,w) in front of each stride: the sizes that the decoder returns to."""
    sizes = []
    for block, filters in enumerate(_FILTERS, 1):
        sizes.append(tensor.shape[1:3])
        tensor = _convolution(tensor, filters, f"encoder{block}", seeds, strides=2)
    sizes.append(tensor.shape[1:3])
    tensor = layers.Flatten(name="encoder_flat")(tensor)
    initial = keras.initializers.GlorotUniform(next(seeds))
    return layers.Dense(bottleneck, kernel_initializer=initial, dtype="float32", name=POOLED)(tensor), sizes


def _decode(tensor, sizes, channels, seeds):
    """Bottleneck (N,b) -> (N,H,W,channels), float32."""
    height, width = sizes[-1]
    initial = keras.initializers.HeNormal(next(seeds))
    tensor = layers.Dense(
        height * width * _FILTERS[-1], use_bias=False, kernel_initializer=initial, name="decoder_dense"
    )(tensor)
    tensor = layers.Reshape((height, width, _FILTERS[-1]), name="decoder_grid")(tensor)
    tensor = _normalised(tensor, "decoder_start")
    for block in range(len(_FILTERS), 0, -1):
        tensor = layers.UpSampling2D(name=f"decoder{block}_up")(tensor)
        height, width = sizes[block - 1]
        if tensor.shape[1:3] != (height, width):
            surplus = (0, tensor.shape[1] - height), (0, tensor.shape[2] - width)
            tensor = layers.Cropping2D(surplus, name=f"decoder{block}_crop")(tensor)
        tensor = _convolution(tensor, _FILTERS[max(block - 2, 0)], f"decoder{block}", seeds)
    initial = keras.initializers.GlorotUniform(next(seeds))
    return layers.Conv2D(
        channels, 3, padding="same", kernel_initializer=initial, dtype="float32", name="decoder_image"
    )(tensor)


def _convolution(tensor, filters, name, seeds, strides=1):
    """Convolution 3x3, batch normalisation, ReLU."""
    initial = keras.initializers.HeNormal(next(seeds))
    tensor = layers.Conv2D(
        filters, 3, strides, "same", use_bias=False, kernel_initializer=initial, name=f"{name}_conv"
    )(tensor)
    return _normalised(tensor, name)


def _normalised(tensor, name):
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")(tensor))
