"""Grad-CAM by tf-keras-vis: what the compiled one is compared with."""

import numpy as np
import tensorflow as tf
from tf_keras_vis.gradcam import Gradcam

from medxray.explain.layers import require_heat_layer
from medxray.explain.maps import Explained, target_scores
from medxray.models.heads import LOGITS
from medxray.models.inference import trunk

_BATCH = 4


def gradcam(model, images, targets, *, layer):
    """Compute Grad-CAM heatmaps with tf-keras-vis.

    Args:
        model: a classifier with the layers `pooled` and `logits`; float16 and bfloat16 activations are allowed.
        images: uint8 or float32 (N,H,W,C), 0-255, of the model's input size.
        targets: int (N,), index of the class to explain in each image.
        layer: name of a layer of `layers.heat_layers(model)`.

    Returns:
        float32 array (N,h,w), 0-1, at the resolution of the layer: each map is scaled to its own range, a constant
        one is 0.

    Raises:
        ConfigError: the model has no such layer.
        ValueError: `targets` does not fit.

    Source: Selvaraju et al. (2017), eq. 1-2; deviations: the scaling to 0-1, as in tf-keras-vis.
    """
    height, width = require_heat_layer(model, layer)
    targets = np.asarray(targets, dtype=np.int32)
    classes = model.get_layer(LOGITS).output.shape[-1]
    if targets.shape != (len(images),) or not np.isin(targets, np.arange(classes)).all():
        raise ValueError(f"targets must be {len(images)} class indices from 0 to {classes - 1}. Received {targets}.")
    explain = gradcam_function(model, layer)
    maps = np.zeros((len(images), height, width), np.float32)
    for start in range(0, len(images), _BATCH):
        rows = slice(start, start + _BATCH)
        maps[rows] = explain(images[rows], lambda _, rows=rows: targets[rows]).maps
    return maps


def gradcam_function(model, layer):
    """Grad-CAM by tf-keras-vis as a function that `methods` describes, for use outside a graph.

    Raises:
        ConfigError: the model has no such layer.
    """
    require_heat_layer(model, layer)
    library = Gradcam(trunk(model), clone=False)

    def explain(images, targets_of):
        seen = []

        def logit(logits):
            seen.append(logits)
            return target_scores(logits, targets_of)

        def nothing(pooled):
            seen.append(pooled)
            return tf.zeros(tf.shape(pooled)[:1])

        maps = library(
            [logit, nothing],
            tf.cast(images, tf.float32),
            penultimate_layer=layer,
            seek_penultimate_conv_layer=False,
            gradient_modifier=lambda gradients: tf.cast(gradients, tf.float32),  # else bfloat16 ones stay bfloat16
            expand_cam=False,
        )
        logits, pooled = seen
        return Explained(tf.constant(np.asarray(maps, np.float32)), logits, tf.cast(pooled, tf.float32))

    return explain
