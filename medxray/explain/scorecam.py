"""Score-CAM: channels weighted by the score of the image seen through each of them. No gradient is needed."""

import tensorflow as tf

from medxray.explain.maps import Explained, scaled, upsample
from medxray.explain.passes import layer_network, whole_network
from medxray.explain.versions import differ, version_scores


def scorecam_graph(model, layer, *, channels):
    """Score-CAM from one forward pass and one for each channel.

    Args:
        model: a classifier with the layers `pooled` and `logits`.
        layer: name of a layer of `layers.heat_layers(model)`.
        channels: how many channels are used, those that vary most over the cells of an image; 0 for all.

    Returns:
        function as `methods` describes it.

    Raises:
        ConfigError: the model has no such layer.

    Source: Wang et al. (2020), Score-CAM, channel-wise increase of confidence. The score of the black image, which
    the paper takes away from that of each masked image, is the same for all channels: it changes no softmax, and is not
    computed. Deviations: `maps.target_scores`; the option `channels`; a map where all masked images score alike, so
    that no channel speaks for the class more than another, is 0; the scaling to 0-1.
    """
    split, network = layer_network(model, layer), whole_network(model)
    total = model.get_layer(layer).output.shape[-1]
    kept = min(channels, total) if channels else total

    def explain(images, targets_of):
        activations, logits, pooled = split(images)
        planes = tf.transpose(activations, (0, 3, 1, 2))
        chosen = tf.math.top_k(tf.math.reduce_variance(planes, axis=(2, 3)), kept, sorted=False).indices

        def masked(some, rows, channel):
            planes_of = tf.gather_nd(planes, tf.stack([rows, channel], axis=1))
            return some * scaled(upsample(planes_of, images.shape[1:3]))[..., None]

        scores = version_scores(network, images, targets_of(logits), masked, chosen)
        weights = tf.nn.softmax(scores) * differ(scores)[:, None]
        maps = tf.einsum("nk,nkhw->nhw", weights, tf.gather(planes, chosen, batch_dims=1))
        return Explained(scaled(tf.nn.relu(maps)), logits, pooled)

    return explain
