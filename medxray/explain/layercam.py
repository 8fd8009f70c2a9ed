"""LayerCAM: each activation weighted by its own gradient, which keeps the detail of early layers."""

import tensorflow as tf

from medxray.explain.passes import weighted_activations


def layercam_graph(model, layer):
    """LayerCAM from one forward pass, and a backward pass from `maps.target_scores` to the layer.

    Args:
        model: as for `gradcam.gradcam_graph`.
        layer: as for `gradcam.gradcam_graph`.

    Returns:
        function as `methods` describes it.

    Raises:
        ConfigError: the model has no such layer.

    Source: Jiang et al. (2021), LayerCAM, section on methodology; deviations: the scaling to 0-1 without the tanh that
    the paper puts on maps of early layers.
    """

    def formula(activations, gradients):
        return tf.reduce_sum(tf.nn.relu(gradients) * activations, axis=-1)

    return weighted_activations(model, layer, formula)
