"""Images -> their shifted views, in batches on the accelerator."""

import numpy as np
import tensorflow as tf

from medxray.data.affine import inside
from medxray.data.shifts import bars, exposure, framing, marker, noise, sharpness
from medxray.data.shifts.batch import ShiftBatch
from medxray.data.shifts.families import GROUPS, SEED, draw_choices, draws, family

_GROUPS = (framing, exposure, sharpness, noise, bars, marker)
FUNCTIONS = {name: function for group in _GROUPS for name, function in group.FUNCTIONS.items()}


class Shiftable:
    """A batch of images of which shifted views can be had.

    What is drawn depends on seed, key, family and severity alone, so the other images of the batch do not matter. The
    bars of a letterboxed image stay black and stay where they are, and what comes from outside the image is black: the
    image is changed as if that had been done before it was letterboxed. Batches of grey images take the time of one
    channel.

    Args:
        images: array or tensor (n,H,W,C), 0-255.
        keys: int array (n,), see `data.image_keys.image_keys`.
        seed: int, at least 0.
        bars: array (n,4), width in pixels of the black bars above, below, left and right of each image; None: the
            images have none.
    """

    def __init__(self, images, keys, *, seed=SEED, bars=None):
        images = tf.cast(images, tf.float32)
        self._channels = images.shape[-1]
        grey = self._channels > 1 and bool(tf.reduce_all(images[..., :1] == images))
        images = images[..., :1] if grey else images
        self._keys, self._seed = np.asarray(keys), seed
        self._bars = tf.zeros((len(self._keys), 4)) if bars is None else tf.cast(bars, tf.float32)
        self._inside = inside(tf.shape(images), self._bars)
        self._images = self._inside * images

    def view(self, name, severity):
        """The images under a family of `families.FAMILIES` at a severity: float32 tensor (n,H,W,C), 0-255.

        Raises:
            ConfigError: there is no such family.
        """
        return self._view(name, severity, np.arange(len(self._keys)))

    def view_of_group(self, group):
        """The images under one family and severity of a group, drawn for each: float32 tensor (n,H,W,C), 0-255."""
        choices = draw_choices(group, self._keys, seed=self._seed)
        rows = {one: np.array([row for row, own in enumerate(choices) if own == one]) for one in dict.fromkeys(choices)}
        parts = [self._view(*choice, chosen) for choice, chosen in rows.items()]
        return tf.gather(tf.concat(parts, 0), np.argsort(np.concatenate(list(rows.values()))))

    def _view(self, name, severity, rows):
        value = family(name).value(severity)
        uniform, seeds = draws(name, severity, self._keys[rows], seed=self._seed)
        images, bars, within = (part if len(rows) == len(self._keys) else tf.gather(part, rows) for part in self._parts)
        batch = ShiftBatch(images, bars, within, tf.constant(uniform), tf.constant(seeds))
        changed = within * tf.clip_by_value(FUNCTIONS[name](batch, value), 0.0, 255.0)
        return tf.repeat(changed, self._channels // changed.shape[-1], axis=-1)

    @property
    def _parts(self):
        return self._images, self._bars, self._inside


def one_view_of_each_group(images, keys, *, seed=SEED, bars=None):
    """Six views of each image: for each group one family and severity, drawn for the image.

    Args:
        images: array or tensor (n,H,W,C), 0-255.
        keys: int array (n,), see `data.image_keys.image_keys`.
        seed: int, at least 0.
        bars: array (n,4) as for `Shiftable`, or None.

    Returns:
        dict group -> float32 tensor (n,H,W,C), 0-255, in the order of `families.GROUPS`.
    """
    batch = Shiftable(images, keys, seed=seed, bars=bars)
    return {group: batch.view_of_group(group) for group in GROUPS}
