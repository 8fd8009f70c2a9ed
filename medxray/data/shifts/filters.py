"""Filters of batches of images as products with matrices, one for the rows and one for the columns."""

import functools

import numpy as np
import tensorflow as tf


@functools.lru_cache(maxsize=64)
def gaussian(size, deviation):
    """Matrix (size,size) that blurs `size` pixels by a Gaussian of some deviation in pixels; its rows sum to 1."""
    distance = np.subtract.outer(np.arange(size), np.arange(size))
    weights = np.exp(-0.5 * (distance / deviation) ** 2) if deviation > 0 else np.eye(size)
    return np.float32(weights / weights.sum(axis=1, keepdims=True))


@functools.lru_cache(maxsize=64)
def coarse(size, pixels):
    """Matrix (size,size) that shows `size` pixels by `pixels` larger ones, each the mean of what it covers."""
    edges = np.arange(pixels + 1) * size / pixels
    ends = np.minimum(edges[1:, None], np.arange(size) + 1)
    covered = np.clip(ends - np.maximum(edges[:-1, None], np.arange(size)), 0, None)
    shown = ((np.arange(size) + 0.5) * pixels / size).astype(int)
    return np.float32((covered / covered.sum(axis=1, keepdims=True))[shown])


def filtered(images, inside, rows, columns):
    """Filter images without what is outside of them: it has no weight.

    Args:
        images: float32 tensor (n,H,W,C), 0 outside.
        inside: float32 tensor (n,H,W,1): 1 in a rectangle that is the image, else 0.
        rows: float32 matrix (H,H) that is applied from above to below.
        columns: float32 matrix (W,W) that is applied from left to right.

    Returns:
        float32 tensor (n,H,W,C), 0 outside.
    """
    down = tf.matmul(tf.reduce_max(inside, axis=(2, 3)), rows, transpose_b=True)
    across = tf.matmul(tf.reduce_max(inside, axis=(1, 3)), columns, transpose_b=True)
    weight = tf.maximum(down[:, :, None] * across[:, None, :], 1e-6)[..., None]
    return inside * _product(images, rows, columns) / weight


def blurred(images, inside, deviations):
    """`filtered` by a Gaussian with deviations in pixels: (from above to below, from left to right)."""
    height, width = images.shape[1:3]
    return filtered(images, inside, gaussian(height, deviations[0]), gaussian(width, deviations[1]))


def _product(images, rows, columns):
    height, width, channels = images.shape[1:]
    planes = tf.reshape(tf.transpose(images, (0, 3, 1, 2)), (-1, width))
    across = tf.reshape(tf.matmul(planes, columns, transpose_b=True), (-1, height, width))
    return tf.transpose(tf.reshape(tf.matmul(rows, across), (-1, channels, height, width)), (0, 2, 3, 1))
