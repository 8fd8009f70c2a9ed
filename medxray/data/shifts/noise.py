"""Shifts of noise. All channels of an image have the same noise, as those of a grey image have."""

import tensorflow as tf

from medxray.data.intensity import normal_noise


def gaussian(batch, share):
    """Add normal noise whose deviation is a share of the range."""
    return batch.images + 255.0 * share * normal_noise(tf.shape(batch.images), batch.seeds)


def poisson(batch, quanta):
    """Count quanta, of which a white pixel has `quanta` on average."""
    grey = tf.reduce_mean(batch.images, axis=3, keepdims=True)

    def one(parts):
        means, seed = parts
        return tf.random.stateless_poisson(tf.shape(means), seed, lam=means, dtype=tf.float32)

    counts = tf.map_fn(one, (grey * (quanta / 255.0), batch.seeds), fn_output_signature=tf.float32)
    return batch.images + counts * (255.0 / quanta) - grey


def speckle(batch, share):
    """Add normal noise whose deviation is a share of the grey value."""
    return batch.images * (1.0 + share * normal_noise(tf.shape(batch.images), batch.seeds))


FUNCTIONS = {"gaussian-noise": gaussian, "poisson-noise": poisson, "speckle-noise": speckle}
