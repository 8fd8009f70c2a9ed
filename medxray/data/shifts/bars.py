"""Shifts of what surrounds the image: collimation and black bars."""

import tensorflow as tf

OUTSIDE = 0.1  # share of their grey values that pixels outside of the field keep
_PENUMBRA = 0.01  # width of the edge of the field, share of the height


def collimate(batch, share):
    """Darken four margins, each of half to all of `share` of the image's height or width, with a soft edge."""
    _, _, height, width = batch.box()
    above, below, left, right = tf.unstack(share * (0.5 + 0.5 * batch.uniform[:, :4]), axis=1)
    margins = (above * height, below * height, left * width, right * width)
    soft = _PENUMBRA * batch.size[0]
    field = tf.clip_by_value(_depth(batch, margins) / soft + 0.5, 0.0, 1.0)
    return batch.images * (OUTSIDE + (1 - OUTSIDE) * field)


def letterbox(batch, share):
    """Put black bars above and below, or at both sides: each `share` of the image's height or width."""
    _, _, height, width = batch.box()
    above = tf.where(batch.uniform[:, 0] < 0.5, share * height, 0.0)
    beside = tf.where(batch.uniform[:, 0] < 0.5, 0.0, share * width)
    return batch.images * tf.cast(_depth(batch, (above, above, beside, beside)) > 0, tf.float32)


def _depth(batch, margins):
    """How far in pixels a pixel's centre lies inside of margins (above, below, left, right): float32 (n,H,W,1)."""
    above, below, left, right = (margin[:, None, None] for margin in margins)
    y, x = batch.grid()
    _, _, height, width = (part[:, None, None] for part in batch.box())
    rows = tf.minimum(y + 0.5 - above, height - below - y - 0.5)
    columns = tf.minimum(x + 0.5 - left, width - right - x - 0.5)
    return tf.minimum(rows, columns)[..., None]


FUNCTIONS = {"collimation": collimate, "letterbox": letterbox}
