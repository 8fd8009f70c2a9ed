"""SmoothGrad: the mean gradient over noisy copies of the image, which is steadier than that of the image alone."""

import tensorflow as tf

from medxray.explain.input_gradients import mean_gradient, strength
from medxray.explain.maps import Explained, scaled
from medxray.explain.passes import whole_network


def smoothgrad_graph(model, layer, *, samples, noise, seed):
    """SmoothGrad maps at input resolution, from one forward pass, and a forward and a backward pass for each sample.

    The noise is the same for every image, so a map depends on its own image only and repeats.

    Args:
        model: a classifier with the layers `pooled` and `logits`.
        layer: None.
        samples: number of noisy copies.
        noise: standard deviation of the noise as a share of the image's range (brightest less darkest value).
        seed: of the noise.

    Returns:
        function as `methods` describes it.

    Source: Smilkov et al. (2017), smoothing noisy gradients; deviations: `maps.target_scores`; as for saliency the mean
    gradient is shown without its sign, the strongest channel of each pixel; the scaling to 0-1.
    """
    network = whole_network(model)

    def explain(images, targets_of):
        logits, pooled = network(images)
        axes = (1, 2, 3)
        spans = tf.reduce_max(images, axis=axes, keepdims=True) - tf.reduce_min(images, axis=axes, keepdims=True)

        def noisy(number):
            return images + noise * spans * tf.random.stateless_normal(images.shape[1:], tf.stack([seed, number]))

        gradients = mean_gradient(network, targets_of(logits), noisy, samples)
        return Explained(scaled(strength(gradients)), logits, pooled)

    return explain
