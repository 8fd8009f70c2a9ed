"""Shifts of exposure: dose, tube voltage, film, window and the processing of the vendor."""

import tensorflow as tf

from medxray.data.intensity import change_contrast, change_gamma
from medxray.data.shifts.filters import blurred

NEIGHBOURHOOD = 1 / 8  # deviation of the Gaussian about a pixel, share of the side
LOCAL_MEAN, LOCAL_DEVIATION = 127.5, 51.0
_LEAST_DEVIATION = 12.0  # grey values; flatter neighbourhoods are not blown up to noise


def gamma(batch, exponent):
    """Raise grey values to a power."""
    return change_gamma(batch.images, exponent)


def brighten(batch, share):
    """Add a share of the range."""
    return batch.images + 255.0 * share


def darken(batch, share):
    """Take a share of the range away."""
    return batch.images - 255.0 * share


def contrast(batch, factor):
    """Change the contrast about the mean of the image without its bars."""
    return change_contrast(batch.images, factor, batch.inside)


def local_contrast(batch, share):
    """Bring mean and deviation of each neighbourhood towards common ones, by a share of the way.

    Source: Wallis (1976), An approach to the space variant restoration and enhancement of images; deviations: a
    Gaussian neighbourhood, and a lower bound of its deviation.
    """
    grey = tf.reduce_mean(batch.images, axis=3, keepdims=True)
    deviations = [NEIGHBOURHOOD * side for side in batch.size]
    mean = blurred(grey, batch.inside, deviations)
    variance = blurred(tf.square(grey), batch.inside, deviations) - tf.square(mean)
    gain = LOCAL_DEVIATION / tf.sqrt(tf.maximum(variance, _LEAST_DEVIATION**2))
    evened = (batch.images - mean) * gain + LOCAL_MEAN
    return batch.images + share * (evened - batch.images)


FUNCTIONS = {
    "gamma-dark": gamma,
    "gamma-bright": gamma,
    "brighter": brighten,
    "darker": darken,
    "contrast-low": contrast,
    "contrast-high": contrast,
    "local-contrast": local_contrast,
}
