"""Shifts by what is pasted into the image: a side marker."""

import numpy as np
import tensorflow as tf

LEVEL = 240.0  # grey value of a marker of lead
_LETTERS = (
    ("11110", "10001", "10001", "11110", "10100", "10010", "10001"),  # R
    ("10000", "10000", "10000", "10000", "10000", "10000", "11111"),  # L
)
BITMAPS = np.array([[[float(cell) for cell in row] for row in letter] for letter in _LETTERS], np.float32)
_ROWS, _COLUMNS = BITMAPS.shape[1:]
_NEAREST, _FARTHEST = 0.02, 0.12  # from the edges of the image, share of its height or width


def paste_marker(batch, share):
    """Paste an R or L whose height is a share of the image's, near its upper left or right corner."""
    _, _, height, width = batch.box()
    cell = share * height / _ROWS
    free = _NEAREST + (_FARTHEST - _NEAREST) * batch.uniform[:, :2]
    top, aside = free[:, 0] * height, free[:, 1] * width
    left = tf.where(batch.uniform[:, 2] < 0.5, aside, width - aside - _COLUMNS * cell)
    letter = tf.cast(batch.uniform[:, 3] >= 0.5, tf.int32)
    y, x = batch.grid()
    row = tf.floor((y + 0.5 - top[:, None, None]) / cell[:, None, None])
    column = tf.floor((x + 0.5 - left[:, None, None]) / cell[:, None, None])
    painted = _painted(letter, row, column)[..., None]
    return tf.where(painted > 0, tf.maximum(batch.images, LEVEL), batch.images)


def _painted(letter, row, column):
    """1 where a pixel lies in a cell of its letter that is painted, else 0: float32 (n,H,W)."""
    on = (row >= 0) & (row < _ROWS) & (column >= 0) & (column < _COLUMNS)
    down = tf.cast(tf.clip_by_value(row, 0, _ROWS - 1), tf.int32)
    across = tf.cast(tf.clip_by_value(column, 0, _COLUMNS - 1), tf.int32)
    cells = (letter[:, None, None] * _ROWS + down) * _COLUMNS + across
    return tf.gather(tf.reshape(BITMAPS, [-1]), cells) * tf.cast(on, tf.float32)


FUNCTIONS = {"marker": paste_marker}
