"""Integrated gradients: what each pixel adds to the score on the way from a black image to the image."""

import tensorflow as tf

from medxray.explain.input_gradients import mean_gradient
from medxray.explain.maps import Explained, scaled
from medxray.explain.passes import whole_network


def integrated_gradients_graph(model, layer, *, steps):
    """Integrated gradients at input resolution, from one forward pass, and a forward and a backward pass for each step.

    Args:
        model: a classifier with the layers `pooled` and `logits`.
        layer: None.
        steps: how many pieces the way from the black image has; the gradient is taken in the middle of each.

    Returns:
        function as `methods` describes it.

    Source: Sundararajan et al. (2017), eq. 1 and 3; deviations: `maps.target_scores`; the middle of each step in place
    of its end; what speaks against the class is not shown; the scaling to 0-1.
    """
    network = whole_network(model)

    def explain(images, targets_of):
        logits, pooled = network(images)
        shares = attributions(network, images, targets_of(logits), steps)
        return Explained(scaled(tf.nn.relu(tf.reduce_sum(shares, axis=-1))), logits, pooled)

    return explain


def attributions(network, images, targets, steps):
    """What each value of an image adds to the target score.

    Args:
        network: as `passes.whole_network` builds it.
        images: float32 (N,H,W,C), 0-255.
        targets: int32 (N,), the class to explain in each image.
        steps: int, as for `integrated_gradients_graph`.

    Returns:
        float32 tensor (N,H,W,C); its sum nears the target score of the image less that of a black one.
    """

    def on_the_way(step):
        return images * (tf.cast(step, tf.float32) + 0.5) / steps

    return images * mean_gradient(network, targets, on_the_way, steps)
