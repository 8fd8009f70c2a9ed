"""Maps of a sample by one method, at input resolution, for classes that stay the same whatever the model says."""

import numpy as np
import tensorflow as tf

from medxray.explain.explainer import ExplainRequest
from medxray.explain.maps import upsample
from medxray.explain.methods import COMPILED, method_named

BATCH = 8


class MapFunction:
    """Computes the maps of a method as one compiled graph, which follows changes of the model's weights.

    Args:
        run: trained_run.Run.
        name: of a row of `methods.METHODS`.
        options: dict of its options; the others have their defaults.
        layer: of the maps, for methods that have layers; None: the usual one.

    Raises:
        ConfigError: the model cannot be explained by it.
    """

    def __init__(self, run, name, options, *, layer=None):
        request = ExplainRequest(method=name, options=tuple(options.items()), layer=layer)
        request.check(run)
        method = method_named(name)
        chosen = method.chosen_options(options)
        explain = run.map_function(method, layer=layer, engine=COMPILED, options=chosen)
        images = tf.TensorSpec((None, *run.input_size, run.channels), tf.float32, "images")

        @tf.function(input_signature=[images, tf.TensorSpec((None,), tf.int32, "targets")])
        def maps(images, targets):
            return upsample(explain(images, lambda _: targets).maps, run.input_size)

        self.options, self._maps = chosen, maps

    def __call__(self, pixels, targets, advance):
        """Explain images.

        Args:
            pixels: uint8 array (n,H,W,C).
            targets: int32 array (n,), the class to explain in each.
            advance: function, called with the number of images done after each batch.

        Returns:
            float32 array (n,H,W), 0-1; a map with a value that is not finite is 0.
        """
        found = []
        for start in range(0, len(pixels), BATCH):
            some = slice(start, start + BATCH)
            found.append(self._maps(pixels[some].astype(np.float32), targets[some]).numpy())
            advance(len(found[-1]))
        maps = np.concatenate(found)
        return np.where(np.isfinite(maps).all(axis=(1, 2), keepdims=True), maps, np.float32(0))
