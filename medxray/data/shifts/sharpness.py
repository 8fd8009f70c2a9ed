"""Shifts of sharpness: unsharp images, few pixels, lossy files."""

import tensorflow as tf

from medxray.data.shifts.filters import blurred, coarse, filtered


def blur(batch, share):
    """Blur by a Gaussian whose deviation is a share of the input's height."""
    return blurred(batch.images, batch.inside, (share * batch.size[0],) * 2)


def pixelate(batch, share):
    """Show the input by a share of its pixels a side."""
    rows, columns = (coarse(side, max(1, round(share * side))) for side in batch.size)
    return filtered(batch.images, batch.inside, rows, columns)


def jpeg(batch, quality):
    """Store each image as JPEG of some quality (1-100) and read it again."""

    def one(image):
        pixels = tf.cast(tf.round(image), tf.uint8)
        return tf.image.adjust_jpeg_quality(pixels, quality, dct_method="INTEGER_ACCURATE")

    return tf.cast(tf.map_fn(one, batch.images, fn_output_signature=tf.uint8), tf.float32)


FUNCTIONS = {"blur": blur, "pixelation": pixelate, "jpeg": jpeg}
