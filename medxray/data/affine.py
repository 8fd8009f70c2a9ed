"""Turning, scaling and shifting batches of images, and which pixels are still of the image afterwards."""

import tensorflow as tf


def inverse_maps(shape, *, angle, dx, dy, scale_x, scale_y):
    """Rotate, scale and shift about the centre.

    Args:
        shape: int32 tensor (4,) of the images (n,H,W,C).
        angle: float tensor (n,), radians.
        dx: float tensor (n,), share of the width, to the right.
        dy: float tensor (n,), share of the height, downwards.
        scale_x: float tensor (n,), factor of the width; negative: mirrored.
        scale_y: float tensor (n,), factor of the height.

    Returns:
        float32 tensor (n,8): the inverse maps in the order that `warp` wants.
    """
    height, width = tf.cast(shape[1], tf.float32), tf.cast(shape[2], tf.float32)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    a0, a1 = cosine / scale_x, sine / scale_x
    b0, b1 = -sine / scale_y, cosine / scale_y
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    shift_x, shift_y = centre_x + dx * width, centre_y + dy * height
    a2 = centre_x - a0 * shift_x - a1 * shift_y
    b2 = centre_y - b0 * shift_x - b1 * shift_y
    nothing = tf.zeros_like(a0)
    return tf.stack([a0, a1, a2, b0, b1, b2, nothing, nothing], axis=1)


def warp(images, maps):
    """Sample images (n,H,W,C) at the places that inverse maps (n,8) name: bilinear, black outside."""
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=maps,
        output_shape=tf.shape(images)[1:3],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )


def inside(shape, bars, maps=None):
    """Which pixels are of the image, and neither of its bars nor from outside.

    Args:
        shape: int32 tensor (4,) of the images (n,H,W,C).
        bars: float tensor (n,4), width in pixels of the black bars above, below, left and right of each image.
        maps: float tensor (n,8) of `inverse_maps`; None: the images stay where they are.

    Returns:
        float32 tensor (n,H,W,1): 1 where a pixel lies between the bars and has a part that comes from between them,
        else 0.
    """
    height, width = tf.cast(shape[1], tf.float32), tf.cast(shape[2], tf.float32)
    above, below, before, behind = (part[:, None, None] for part in tf.unstack(bars, axis=1))
    left, right, top, bottom = before, width - 1 - behind, above, height - 1 - below

    def between(x, y):
        """Whether a bilinear sample at x, y touches a pixel of the image."""
        return (x > left - 1) & (x < right + 1) & (y > top - 1) & (y < bottom + 1)

    x, y = tf.range(width)[None, None, :], tf.range(height)[None, :, None]
    found = between(x, y)
    if maps is not None:
        a0, a1, a2, b0, b1, b2 = (part[:, None, None] for part in tf.unstack(maps, axis=1)[:6])
        found &= between(a0 * x + a1 * y + a2, b0 * x + b1 * y + b2)
    return tf.cast(found, tf.float32)[..., None]
