"""Grad-CAM++: Grad-CAM whose weights come from the places where more of an activation raises the score."""

import tensorflow as tf

from medxray.explain.passes import weighted_activations


def gradcam_plus_plus_graph(model, layer):
    """Grad-CAM++ from one forward pass, and a backward pass from `maps.target_scores` to the layer.

    With the score S and its gradient g at a cell of a channel with activations A, the paper explains exp(S), and the
    coefficient of the cell is g^2 / (2 g^2 + sum(A) g^3) = 1 / (2 + sum(A) g).

    Args:
        model: as for `gradcam.gradcam_graph`.
        layer: as for `gradcam.gradcam_graph`.

    Returns:
        function as `methods` describes it.

    Raises:
        ConfigError: the model has no such layer.

    Source: Chattopadhyay et al. (2018), Grad-CAM++, section on methodology, with the exponential of the score as the
    function that is explained; deviations: the factor exp(S) of all weights is left out, because the scaling to 0-1
    takes it away; a coefficient without a value (its denominator is 0) is 0.
    """

    def formula(activations, gradients):
        positive = tf.nn.relu(gradients)
        totals = tf.reduce_sum(activations, axis=(1, 2), keepdims=True)
        terms = tf.math.divide_no_nan(positive, 2.0 + totals * positive)  # the coefficient times the gradient
        weights = tf.reduce_sum(terms, axis=(1, 2), keepdims=True)
        return tf.reduce_sum(weights * activations, axis=-1)

    return weighted_activations(model, layer, formula)
