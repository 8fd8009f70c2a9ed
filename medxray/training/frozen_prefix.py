"""The frozen layers of a model as compiled functions: images -> augmented -> activations."""

import time

import tensorflow as tf

from medxray.data.augment import PARAMETERS, Augment
from medxray.models.classifier import prefix
from medxray.models.folding import folded
from medxray.models.precision import computed_in

BATCH = 32  # images per forward pass


class FrozenPrefix:
    """The prefix of a model up to some layers, in a precision, compiled once for each.

    Args:
        model: a classifier.
        source: pipeline.Source of its images, which says their size and channels.
    """

    def __init__(self, model, source):
        self._model, self._shape = model, (*source.size, source.channels)
        self._forwards = {}

    def forward(self, cuts, precision):
        """The function (images (N,H,W,C) 0-255, augmentation parameters) -> list of float16 activations of each cut.

        Args:
            cuts: tuple of names of layers.
            precision: key of models.precision.POLICIES.
        """
        if (cuts, precision) not in self._forwards:
            with computed_in(self._model, precision):
                self._forwards[cuts, precision] = self._compile(cuts)
        return self._forwards[cuts, precision]

    def _compile(self, cuts):
        part, augment = folded(prefix(self._model, cuts), training=False), Augment()
        signature = [tf.TensorSpec((None, *self._shape), tf.float32), tf.TensorSpec((None, PARAMETERS), tf.float32)]

        @tf.function(input_signature=signature)
        def forward(images, parameters):
            augmented = tf.cond(
                tf.reduce_any(parameters != 0), lambda: augment(images, parameters, training=True), lambda: images
            )
            return [tf.cast(output, tf.float16) for output in tf.nest.flatten(part(augmented, training=False))]

        return forward.get_concrete_function()  # traced here, in the precision that the layers have now

    def seconds_per_image(self, cuts, precision):
        """Measure a forward pass on one warm batch."""
        forward = self.forward(cuts, precision)
        batch = tf.zeros((BATCH, *self._shape)), tf.zeros((BATCH, PARAMETERS))
        forward(*batch)
        begin = time.perf_counter()
        [part.numpy() for part in forward(*batch)]
        return (time.perf_counter() - begin) / BATCH
