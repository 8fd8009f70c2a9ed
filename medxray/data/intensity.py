"""Changing the grey values of batches of images (n,H,W,C), 0-255, float32."""

import tensorflow as tf


def change_contrast(images, factors, inside):
    """Raise or lower the contrast of each image about its mean.

    Args:
        images: float tensor (n,H,W,C).
        factors: float tensor (n,1,1,1); 1 changes nothing.
        inside: float tensor (n,H,W,1): 1 where the mean is taken, else 0.
    """
    area = tf.maximum(tf.reduce_sum(inside, axis=(1, 2, 3), keepdims=True), 1.0)
    grey = tf.reduce_mean(images, axis=3, keepdims=True)
    mean = tf.reduce_sum(grey * inside, axis=(1, 2, 3), keepdims=True) / area
    return (images - mean) * factors + mean


def change_gamma(images, exponents):
    """255 (x / 255) ^ exponent of the values x, which are clipped to 0-255 before; exponents (n,1,1,1) above 0."""
    return 255.0 * tf.pow(tf.clip_by_value(images / 255.0, 0.0, 1.0), exponents)


def normal_noise(shape, seeds):
    """Standard normal numbers that depend on the seed of the image alone.

    Args:
        shape: int32 tensor (4,) of the images (n,H,W,C).
        seeds: int32 tensor (n,2).

    Returns:
        float32 tensor (n,H,W,1).
    """

    def one(seed):
        return tf.random.stateless_normal(tf.concat([shape[1:3], [1]], 0), seed)

    return tf.map_fn(one, seeds, fn_output_signature=tf.float32)
