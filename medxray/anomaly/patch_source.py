"""Images -> activations of a backbone -> patch features, from the cache where there is one."""

import copy

import numpy as np
import tensorflow as tf

from medxray.anomaly.patch_graph import patch_layers, patches_of
from medxray.anomaly.patches import Patches
from medxray.models.classifier import prefix
from medxray.models.inference import compiled
from medxray.training.stages import cached_features

BATCH = 16
NORMAL = "normal"  # the set of images that a method is fitted on


class PatchSource:
    """Activations of two layers of a backbone for sets of images.

    Args:
        backbone: a classifier with the weights it keeps.
        images: image_set.ImageSet whose `rows` are the sets.
        config: resolved AnomalyConfig.

    The cache is filled first; what would be too large for it is computed whenever it is asked for.
    """

    def __init__(self, backbone, images, config):
        self._images, self._names, self._scale = images, patch_layers(config.arch), config.patch_scale
        self._tensors = [backbone.get_layer(name).output for name in self._names]
        self._features = cached_features(backbone, self._names, images=images, views=0, config=config)
        self._cached = [name for name in self._names if self._features and self._features.has(name, augmented=False)]
        online = [name for name in self._names if name not in self._cached]
        self._forward = compiled(prefix(backbone, online), fold=False) if online else None

    def of(self, images):
        """The same for other images (ImageSet), PatchSource."""
        others = copy.copy(self)
        others._images = images
        others._features = self._features.of(images, self._cached) if self._cached else None
        return others

    def activations(self, name, *, batch=BATCH):
        """Yield the activations of a set, `batch` images at a time: list of float32 arrays (b,h,w,c), one per layer."""
        stored = {layer: self._features.read(layer, name) for layer in self._cached}
        for start, computed in zip(self._starts(name, batch), self._computed(name, batch), strict=True):
            read = {layer: np.asarray(rows[start : start + batch], np.float32) for layer, rows in stored.items()}
            yield [read[layer] if layer in read else next(computed) for layer in self._names]

    def _starts(self, name, batch):
        return range(0, len(self._images.rows[name]), batch)

    def _computed(self, name, batch):
        """Compute what is not cached.

        Args:
            name: of the set, a key of the images' `rows`.
            batch: images at a time, int.

        Yields:
            for each batch an iterator of float32 arrays (b,h,w,c), one for each layer that is not cached, in their
            order; it is empty where all are.
        """
        if self._forward is None:
            yield from (iter(()) for _ in self._starts(name, batch))
            return
        for images in self._images.images(self._images.rows[name]).batch(batch).prefetch(2):
            yield iter([output.numpy() for output in self._forward(images)])

    def patches(self, name):
        """The patch features of a set.

        Args:
            name: of the set, a key of the images' `rows`.

        Returns:
            anomaly.patches.Patches, float32, in the order of the set.
        """
        return self.to_patches(lambda: self.activations(name), len(self._images.rows[name]))

    def to_patches(self, activations, images):
        """The patch features of images whose activations are at hand.

        Args:
            activations: function without arguments -> iterator of lists of float32 arrays (b,h,w,c), one for each
                layer, of a few images at a time.
            images: how many images these are, int.

        Returns:
            anomaly.patches.Patches, float32.
        """
        model = patches_of(self._tensors, scale=self._scale)
        forward = tf.function(lambda tensors: model(tensors, training=False), reduce_retracing=True)

        def batches():
            for parts in activations():
                yield forward([tf.constant(part) for part in parts]).numpy()

        return Patches(batches, images, *model.output_shape[1:])
