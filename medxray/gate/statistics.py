"""Three descriptions of an image for the gate, as TensorFlow operations on the model's input.

Prediction and the exported graph call the same function. Black and white bars beside the image are cropped away and the
rest is brought to one square, so neither letterboxing nor the aspect ratio counts.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from medxray.data.images.grey_levels import LUMA

CANVAS = 128  # side in pixels of the square that everything is measured on
LAYOUT = 16  # side of the thumbnail
REGIONS = 8  # the texture is measured in so many regions along each side
SIGMAS = (0.7, 1.4, 2.8)  # deviations in pixels of the square of the Gaussians between the bands
_FAINT = 0.01  # detail below a hundredth of the image's contrast counts as none
_BLACK, _WHITE = 4.0, 251.0  # an outer row or column with a mean beyond these is taken for a bar


class Description(NamedTuple):
    """What a batch of images looks like.

    Attributes:
        layout: float32 (N, 256), the image as 16 x 16 grey values with mean 0 and deviation 1, row by row.
        tone: float32 (N, 3). Mean / 64; ln(s + 1) with s the standard deviation in grey values; ln(k + 1) with k the
            mean distance of a colour plane from grey, 0 with one channel.
        texture: float32 (N, 448), how much detail there is in each of 8 x 8 regions: ln(r + 0.01) with r the root mean
            square of a signal over a region, of the image with mean 0 and deviation 1. Three signals are detail of one
            size: the difference between the image blurred by one Gaussian and by the next (no blur, then deviations of
            0.7, 1.4 and 2.8 pixels of the square), finest first. Four are fine detail of one direction: second
            differences 2 x - left - right of the image blurred by 0.7 pixels, along rows, along columns and along both
            diagonals. Signal by signal, each row by row.
    """

    layout: tf.Tensor
    tone: tf.Tensor
    texture: tf.Tensor


def describe(images):
    """Describe a batch of images.

    Args:
        images: float32 tensor (N,H,W,C), 0-255, C 1 or 3.

    Returns:
        Description.

    Source of the bands: the difference of Gaussians of Burt and Adelson (1983), The Laplacian pyramid as a compact
    image code; deviation: no level is made smaller. The directions are those of the residual filters that tell images
    of different origin apart in Fridrich and Kodovsky (2012), Rich models for steganalysis of digital images.
    """
    grey, colour = _planes(images)
    canvas = _canvas(grey)
    mean = tf.reduce_mean(canvas, axis=(1, 2), keepdims=True)
    deviation = tf.math.reduce_std(canvas, axis=(1, 2), keepdims=True)
    tone = [mean[:, 0, 0] / 64.0, tf.math.log(deviation[:, 0, 0] + 1.0), tf.math.log(colour + 1.0)]
    texture = _texture((canvas - mean) / (deviation + 1.0))
    return Description(_layout(canvas), tf.stack(tone, axis=1), texture)


def _planes(images):
    """Grey values (N,H,W) and the mean distance of the colours from them (N,)."""
    if images.shape[-1] == 1:
        return images[..., 0], tf.zeros(tf.shape(images)[:1])
    grey = tf.tensordot(images, tf.constant(LUMA), 1)
    return grey, tf.reduce_mean(tf.abs(images - grey[..., None]), axis=(1, 2, 3))


def _canvas(grey):
    """(N,H,W) -> (N,CANVAS,CANVAS): what lies between the bars, stretched to a square, antialiased."""
    rows = _sampling(_between_bars(tf.reduce_mean(grey, axis=2)))
    columns = _sampling(_between_bars(tf.reduce_mean(grey, axis=1)))
    return tf.einsum("nay,nyx,nbx->nab", rows, grey, columns)


def _between_bars(profile):
    """Bool (N,L): the range of a profile from its first to its last grey place; all of it where none is grey."""
    grey = tf.cast((profile > _BLACK) & (profile < _WHITE), tf.int32)
    inside = (tf.cumsum(grey, axis=1) > 0) & (tf.cumsum(grey, axis=1, reverse=True) > 0)
    return inside | ~tf.reduce_any(inside, axis=1, keepdims=True)


def _sampling(inside):
    """Weights (N,CANVAS,L) that resample the places inside: triangles as wide as two steps, at least two pixels."""
    length = inside.shape[1]
    count = tf.reduce_sum(tf.cast(inside, tf.float32), axis=1)[:, None, None]
    first = tf.cast(tf.argmax(inside, axis=1), tf.float32)[:, None, None]
    step = count / CANVAS
    centres = first + (tf.range(CANVAS, dtype=tf.float32)[None, :, None] + 0.5) * step
    places = tf.range(length, dtype=tf.float32)[None, None, :] + 0.5
    weights = tf.maximum(0.0, 1.0 - tf.abs(places - centres) / tf.maximum(step, 1.0))
    weights *= tf.cast(inside, tf.float32)[:, None, :]
    return weights / tf.reduce_sum(weights, axis=2, keepdims=True)


def _layout(canvas):
    ratio = CANVAS // LAYOUT
    small = tf.nn.avg_pool2d(canvas[..., None], ratio, ratio, "VALID")
    small = tf.reshape(small, (-1, LAYOUT * LAYOUT))
    centred = small - tf.reduce_mean(small, axis=1, keepdims=True)
    return centred / (tf.math.reduce_std(small, axis=1, keepdims=True) + 1.0)


def _texture(canvas):
    """Canvas with mean 0 and deviation 1 -> (N, 448)."""
    blurred = [canvas]
    for sigma in SIGMAS:
        kernel = tf.constant(_blurring(sigma))
        blurred.append(tf.einsum("ay,nyx,bx->nab", kernel, canvas, kernel))
    bands = [sharper - softer for sharper, softer in zip(blurred[:-1], blurred[1:], strict=True)]
    return tf.concat([_strength(signal) for signal in (*bands, *_second_differences(blurred[1]))], axis=1)


def _second_differences(canvas):
    """2 x - left - right along rows, columns and both diagonals, the ends mirrored: four tensors like the canvas."""
    padded, size = tf.pad(canvas, [[0, 0], [1, 1], [1, 1]], "SYMMETRIC"), CANVAS

    def shifted(down, right):
        return padded[:, 1 + down : 1 + down + size, 1 + right : 1 + right + size]

    return [2.0 * canvas - shifted(*step) - shifted(-step[0], -step[1]) for step in ((0, 1), (1, 0), (1, 1), (1, -1))]


def _strength(signal):
    """ln(r + 0.01) of each region: (N, 64)."""
    side = CANVAS // REGIONS
    power = tf.nn.avg_pool2d(tf.square(signal)[..., None], side, side, "VALID")
    return tf.math.log(tf.sqrt(tf.reshape(power, (-1, REGIONS * REGIONS))) + _FAINT)


def _blurring(sigma):
    """float32 (CANVAS,CANVAS): a Gaussian about each place of a line, with what lies outside mirrored at the ends."""
    places = np.arange(CANVAS)
    sources = np.arange(-CANVAS, 2 * CANVAS)
    weights = np.exp(-0.5 * ((sources[None] - places[:, None]) / sigma) ** 2)
    mirrored = weights[:, CANVAS : 2 * CANVAS] + weights[:, CANVAS - 1 :: -1] + weights[:, : 2 * CANVAS - 1 : -1]
    return (mirrored / mirrored.sum(axis=1, keepdims=True)).astype(np.float32)
