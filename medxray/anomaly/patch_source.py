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
        images: features.ImageSet whose `rows` are the sets.
        config: resolved AnomalyConfig.

    The cache is filled first; where it would be too large, activations are computed whenever they are asked for.
    """

    def __init__(self, backbone, images, config):
        self._images, self._names, self._scale = images, patch_layers(config.arch), config.patch_scale
        self._tensors = [backbone.get_layer(name).output for name in self._names]
        self._features = cached_features(backbone, self._names, images=images, views=0, config=config)
        self._forward = None if self._features else compiled(prefix(backbone, self._names))

    def of(self, images):
        """The same for other images (ImageSet), PatchSource."""
        others = copy.copy(self)
        others._images = images
        others._features = None if self._features is None else self._features.of(images, self._names)
        return others

    def activations(self, name, *, batch=BATCH):
        """Yield the activations of a set, `batch` images at a time: list of float32 arrays (b,h,w,c), one per layer."""
        if self._features is None:
            for images in self._images.images(self._images.rows[name]).batch(batch).prefetch(2):
                yield [output.numpy() for output in self._forward(images)]
            return
        stored = [self._features.read(layer, name) for layer in self._names]
        for start in range(0, len(stored[0]), batch):
            yield [np.asarray(rows[start : start + batch], np.float32) for rows in stored]

    def patches(self, name):
        """The patch features of a set as anomaly.patches.Patches."""
        return self.to_patches(lambda: self.activations(name), len(self._images.rows[name]))

    def to_patches(self, activations, images):
        """The same from activations (function -> iterator of lists of arrays) of a number of images."""
        model = patches_of(self._tensors, scale=self._scale)
        forward = tf.function(lambda tensors: model(tensors, training=False), reduce_retracing=True)

        def batches():
            for parts in activations():
                yield forward([tf.constant(part) for part in parts]).numpy()

        return Patches(batches, images, *model.output_shape[1:])
