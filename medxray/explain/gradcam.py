"""Grad-CAM as TensorFlow operations, compiled for commands and exported models alike."""

import tensorflow as tf

from medxray.explain.passes import weighted_activations
from medxray.moved import names_of_old_module

__getattr__ = names_of_old_module(__name__)


def gradcam_graph(model, layer, *, fold=True):
    """Grad-CAM from one forward pass, and a backward pass from `maps.target_scores` to the layer.

    Args:
        model: a classifier with the layers `pooled` and `logits`; float16 and bfloat16 activations are allowed.
        layer: name of a layer of `layers.heat_layers(model)`.
        fold: as for `passes.gradient_pass`.

    Returns:
        function as `methods` describes it, for use inside a tf.function.

    Raises:
        ConfigError: the model has no such layer.

    Source: Selvaraju et al. (2017), eq. 1-2; deviations: the scaling to 0-1, as in tf-keras-vis.
    """

    def formula(activations, gradients):
        weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)  # eq. 1
        return tf.reduce_sum(weights * activations, axis=-1)  # eq. 2

    return weighted_activations(model, layer, formula, fold=fold)


def compiled_gradcam(model, layer):
    """`gradcam_graph` as one compiled function for classes that the caller names.

    Returns:
        tf.function, (images float32 (N,H,W,C), targets int32 (N,)) -> maps float32 (N,h,w), 0-1.

    Raises:
        ConfigError: the model has no such layer.
    """
    explain = gradcam_graph(model, layer)
    images_spec = tf.TensorSpec((None, *model.input.shape[1:]), tf.float32, "images")

    @tf.function(input_signature=[images_spec, tf.TensorSpec((None,), tf.int32, "targets")])
    def compiled(images, targets):
        return explain(images, lambda _: targets).maps

    return compiled
