"""Class activation maps: what each cell adds to the score, where the head is linear. No gradient is needed."""

import keras
import tensorflow as tf

from medxray.errors import ConfigError
from medxray.explain.maps import Explained, scaled, target_scores
from medxray.explain.passes import layer_network
from medxray.models.names import LOGITS, POOLED


def cam_graph(model, layer):
    """Class activation maps from one forward pass; they are those of the last activations before pooling.

    Args:
        model: a classifier whose head is global average pooling, batch normalisation or not, dropout or not, and one
            linear layer.
        layer: None.

    Returns:
        function as `methods` describes it.

    Raises:
        ConfigError: the head is another.

    Source: Zhou et al. (2016), eq. 1-2; deviations: normalisation is folded into the weights; the class has
    `maps.target_scores`; what speaks against it is not shown; the scaling to 0-1.
    """
    shares = score_shares(model)

    def explain(images, targets_of):
        maps, logits, pooled = shares(images, targets_of)
        return Explained(scaled(tf.nn.relu(maps)), logits, pooled)

    return explain


def score_shares(model):
    """How much each cell adds to the target score.

    Args:
        model: as for `cam_graph`.

    Returns:
        function, (images, targets_of) as `methods` describes them -> (float32 (N,h,w) whose mean is
        `maps.target_scores` less a constant of the class, logits (N,K), pooled features (N,c)).

    Raises:
        ConfigError: as for `cam_graph`.
    """
    normalizations = _linear_head(model)
    pooling, kernel = model.get_layer(POOLED), model.get_layer(LOGITS).kernel
    network = layer_network(model, pooling.input._keras_history.operation.name)

    def shares(images, targets_of):
        activations, logits, pooled = network(images)
        weights = tf.convert_to_tensor(kernel)
        for normalization in normalizations:
            weights = _scales(normalization)[:, None] * weights
        cells = tf.einsum("nhwc,ck->nhwk", activations, weights)  # eq. 2, for every class
        targets = tf.repeat(targets_of(logits), tf.reduce_prod(tf.shape(cells)[1:3]))
        scores = target_scores(tf.reshape(cells, (-1, cells.shape[-1])), lambda _: targets)
        return tf.reshape(scores, tf.shape(cells)[:3]), logits, pooled

    return shares


def _linear_head(model):
    """The batch normalisations of a head that is linear in the pooled features, list; raises ConfigError."""
    found, layer, pooled = [], model.get_layer(LOGITS), model.get_layer(POOLED)
    usual = isinstance(layer, keras.layers.Dense) and layer.activation is keras.activations.linear
    while usual and layer is not pooled:
        layer = layer.input._keras_history.operation
        if isinstance(layer, keras.layers.BatchNormalization):
            found.append(layer)
        elif layer is not pooled:
            usual = isinstance(layer, keras.layers.Dropout)
    if not (usual and isinstance(layer, keras.layers.GlobalAveragePooling2D)):
        raise ConfigError(
            f"cam needs a head of average pooling and one linear layer; {model.name} has '{layer.name}' in it. Train "
            "with --head-units 0, or choose another --method."
        )
    return found


def _scales(normalization):
    """What a batch normalisation multiplies its inputs with in inference, float32 (c,)."""
    scales = tf.math.rsqrt(normalization.moving_variance + normalization.epsilon)
    return scales * normalization.gamma if normalization.scale else scales
