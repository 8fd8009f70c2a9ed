"""Grad-CAM++: Grad-CAM whose weights come from the places where more of an activation raises the score."""

import tensorflow as tf

from medxray.explain.passes import weighted_activations

_LEAST = 0.01  # of a denominator, as a share of its terms without their signs


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
    takes it away; a coefficient is 0 where its denominator 2 + sum(A) g is no more than a hundredth of 2 + |sum(A) g|.
    That happens only where the sum of a channel is below 0 (swish, hard-swish, layers before an activation), for which
    the paper has no rule: the coefficient would be unbounded, or turn the sign of the gradient. With ReLU the
    denominator is 2 or more.
    """

    def formula(activations, gradients):
        positive = tf.nn.relu(gradients)
        raised = tf.reduce_sum(activations, axis=(1, 2), keepdims=True) * positive
        below = 2.0 + raised
        sound = below > _LEAST * (2.0 + tf.abs(raised))
        terms = tf.where(sound, positive / tf.where(sound, below, 1.0), 0.0)  # the coefficient times the gradient
        weights = tf.reduce_sum(terms, axis=(1, 2), keepdims=True)
        return tf.reduce_sum(weights * activations, axis=-1)

    return weighted_activations(model, layer, formula)
