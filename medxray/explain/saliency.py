"""Saliency: how much the score changes with each pixel."""

from medxray.explain.input_gradients import input_gradient, strength
from medxray.explain.maps import Explained, scaled
from medxray.explain.passes import whole_network


def saliency_graph(model, layer):
    """Saliency maps at input resolution, from one forward and one backward pass.

    Args:
        model: a classifier with the layers `pooled` and `logits`.
        layer: None.

    Returns:
        function as `methods` describes it.

    Source: Simonyan et al. (2014), section 3.1; deviations: `maps.target_scores`, the scaling to 0-1.
    """
    network = whole_network(model)

    def explain(images, targets_of):
        gradients, logits, pooled = input_gradient(network, images, targets_of)
        return Explained(scaled(strength(gradients)), logits, pooled)

    return explain
