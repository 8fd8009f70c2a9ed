"""Two short descriptions of an image for the gate, as TensorFlow operations on the model's input.

Prediction and the exported graph call the same function. Black and white bars beside the image are cropped away and the
rest is brought to one square, so neither letterboxing nor the aspect ratio counts.
"""

import tensorflow as tf

CANVAS = 64  # side in pixels of the square that everything is measured on
LAYOUT = 16  # side of the thumbnail
_BLACK, _WHITE = 4.0, 251.0  # an outer row or column with a mean beyond these is taken for a bar
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def describe(images):
    """Describe a batch of images.

    Args:
        images: float32 tensor (N,H,W,C), 0-255, C 1 or 3.

    Returns:
        layout: float32 (N, 256), the image as 16 x 16 grey values with mean 0 and deviation 1, row by row.
        texture: float32 (N, 7). Columns 0-3: natural logarithm of the detail lost at each halving from 64 to 4 pixels
            a side, relative to the contrast: ln((r + 0.25) / (s + 1)) with r the root mean square of what averaging
            2 x 2 pixels takes away and s the standard deviation, in grey values. Column 4: mean / 64. Column 5:
            ln(s + 1). Column 6: ln(k + 1) with k the mean distance of a colour plane from grey, 0 with one channel.
    """
    grey, colour = _planes(images)
    canvas = _canvas(grey)
    mean = tf.reduce_mean(canvas, axis=(1, 2))
    deviation = tf.math.reduce_std(canvas, axis=(1, 2))
    small, bands = canvas, []
    while small.shape[1] > 4:
        halved = _halve(small)
        lost = tf.sqrt(tf.reduce_mean(tf.square(small - _double(halved)), axis=(1, 2)))
        bands.append(tf.math.log((lost + 0.25) / (deviation + 1.0)))
        small = halved
    texture = tf.stack([*bands, mean / 64.0, tf.math.log(deviation + 1.0), tf.math.log(colour + 1.0)], axis=1)
    return _layout(canvas), texture


def _planes(images):
    """Grey values (N,H,W) and the mean distance of the colours from them (N,)."""
    if images.shape[-1] == 1:
        return images[..., 0], tf.zeros(tf.shape(images)[:1])
    grey = tf.tensordot(images, tf.constant(_LUMA), 1)
    return grey, tf.reduce_mean(tf.abs(images - grey[..., None]), axis=(1, 2, 3))


def _canvas(grey):
    """(N,H,W) -> (N,CANVAS,CANVAS): what lies between the bars, stretched to a square, antialiased."""
    rows = _sampling(_between_bars(tf.reduce_mean(grey, axis=2)))
    columns = _sampling(_between_bars(tf.reduce_mean(grey, axis=1)))
    return tf.einsum("nay,nyx,nbx->nab", rows, grey, columns)


def _between_bars(profile):
    """bool (N,L): the range of a profile from its first to its last grey place; all of it where none is grey."""
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


def _halve(images):
    return tf.nn.avg_pool2d(images[..., None], 2, 2, "VALID")[..., 0]


def _double(images):
    return tf.repeat(tf.repeat(images, 2, axis=1), 2, axis=2)
