"""Shifts of framing: what the image holds of the patient, and where."""

import math

import tensorflow as tf

from medxray.data.affine import inside, inverse_maps, warp
from medxray.data.shifts.filters import blurred


def zoom_out(batch, factor):
    """Make the image smaller."""
    return _framed(batch, scale_x=factor, scale_y=factor)


def crop(batch, factor):
    """Make the image larger."""
    return _framed(batch, scale_x=factor, scale_y=factor)


def stretch(batch, factor):
    """Change the width of the image."""
    return _framed(batch, scale_x=factor)


def shift(batch, share):
    """Move the image in a direction that is drawn, as far as `share` of its own height and width."""
    direction = 2 * math.pi * batch.uniform[:, 0]
    _, _, height, width = batch.box()
    dx, dy = tf.cos(direction) * width / batch.size[1], tf.sin(direction) * height / batch.size[0]
    return _framed(batch, dx=share * dx, dy=share * dy)


def turn(batch, degrees):
    """Turn the image to a side that is drawn."""
    return _framed(batch, angle=math.radians(degrees) * batch.signs(0))


def _framed(batch, *, scale_x=1.0, scale_y=1.0, **moves):
    """The images under an affine map, black outside; those made smaller are smoothed before, against aliasing."""
    nothing = tf.zeros_like(batch.uniform[:, 0])
    placed = {"angle": nothing, "dx": nothing, "dy": nothing} | moves
    maps = inverse_maps(
        tf.shape(batch.images), scale_x=nothing + float(scale_x), scale_y=nothing + float(scale_y), **placed
    )
    images = batch.images
    if min(scale_x, scale_y) < 1:
        images = blurred(images, batch.inside, (_smoothing(scale_y), _smoothing(scale_x)))
    return inside(tf.shape(images), batch.bars, maps) * warp(images, maps)


def _smoothing(factor):
    """Deviation in pixels of the Gaussian that gives pixels the spread of those they become."""
    return 0.5 * math.sqrt(max(factor**-2 - 1, 0.0))


FUNCTIONS = {
    "zoom-out": zoom_out,
    "crop": crop,
    "narrow": stretch,
    "wide": stretch,
    "shift": shift,
    "turn": turn,
}
