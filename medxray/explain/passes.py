"""What methods share: the passes through a network that give activations, gradients, logits and pooled features.

Batch normalisations are folded into the convolutions before them: the same numbers up to rounding, in less time. In a
model of float16 or bfloat16 they are not, because rounding is no small matter there.
"""

from typing import NamedTuple

import keras
import tensorflow as tf

from medxray.explain.layers import require_heat_layer
from medxray.explain.maps import Explained, scaled, target_scores
from medxray.models.folding import folded
from medxray.models.inference import trunk
from medxray.models.names import LOGITS, POOLED


class LayerPass(NamedTuple):
    """What one forward pass, and one backward pass as far as a layer, give.

    Attributes:
        activations: float32 tensor (N,h,w,c), of the layer.
        gradients: float32 tensor (N,h,w,c), of `maps.target_scores` by the activations.
        logits: float32 tensor (N,K).
        pooled: float32 tensor (N,c), the model's pooled features.
    """

    activations: tf.Tensor
    gradients: tf.Tensor
    logits: tf.Tensor
    pooled: tf.Tensor


def whole_network(model):
    """A classifier as a function of images: float32 (N,H,W,C), 0-255 -> logits (N,K), pooled features (N,c)."""
    network = _quick(trunk(model))

    def forward(images):
        logits, pooled = network(images, training=False)
        return logits, tf.cast(pooled, tf.float32)

    return forward


def layer_network(model, layer):
    """The same with a layer: images -> its activations, float32 (N,h,w,c), logits (N,K), pooled features (N,c).

    Raises:
        ConfigError: the model has no such layer.
    """
    network = _quick(_joint(model, layer))

    def forward(images):
        activations, logits, pooled = network(images, training=False)
        return tf.cast(activations, tf.float32), logits, tf.cast(pooled, tf.float32)

    return forward


def gradient_pass(model, layer, *, fold=True):
    """One forward pass, and one backward pass from the target to a layer; nothing below the layer is differentiated.

    The layer may stand anywhere, also inside a residual branch.

    Args:
        model: a classifier with the layers `pooled` and `logits`; float16 and bfloat16 activations are allowed.
        layer: name of a layer of `layers.heat_layers(model)`.
        fold: False leaves every layer as it is, as in an exported graph.

    Returns:
        function, (images, targets_of) as `methods` describes them -> LayerPass.

    Raises:
        ConfigError: the model has no such layer.
    """
    network = _quick(_joint(model, layer)) if fold else _joint(model, layer)
    tap, tapped = _Tap(), network.outputs[0]._keras_history.operation

    def call(this, *inputs, **options):
        outputs = this(*inputs, **options)
        return tap(outputs) if this is tapped else outputs

    network = keras.models.clone_model(network, clone_function=lambda this: this, call_function=call)

    def forward(images, targets_of):
        with tf.GradientTape(watch_accessed_variables=False) as tap.tape:
            activations, logits, pooled = network(images, training=False)
            scores = target_scores(logits, targets_of)
        gradients = tap.tape.gradient(scores, activations)
        tap.tape = None
        return LayerPass(*(tf.cast(one, tf.float32) for one in (activations, gradients, logits, pooled)))

    return forward


def weighted_activations(model, layer, formula, *, fold=True):
    """A method whose map is a weighted sum of a layer's activations.

    Args:
        model: as for `gradient_pass`.
        layer: as for `gradient_pass`.
        formula: function, (activations, gradients), both float32 (N,h,w,c) -> float32 (N,h,w); what is below 0 in it
            speaks for other classes and is not shown.
        fold: as for `gradient_pass`.

    Returns:
        function as `methods` describes it.

    Raises:
        ConfigError: the model has no such layer.
    """
    passed = gradient_pass(model, layer, fold=fold)

    def explain(images, targets_of):
        activations, gradients, logits, pooled = passed(images, targets_of)
        return Explained(scaled(tf.nn.relu(formula(activations, gradients))), logits, pooled)

    return explain


def _quick(network):
    low = any(layer.compute_dtype != "float32" for layer in network.layers)
    return network if low else folded(network, training=False)


def _joint(model, layer):
    require_heat_layer(model, layer)
    return keras.Model(model.input, [model.get_layer(name).output for name in (layer, LOGITS, POOLED)])


class _Tap(keras.layers.Layer):
    """Hands its input on and, where a tape runs, lets differentiation begin there; it is never saved."""

    def __init__(self):
        super().__init__(autocast=False)
        self.tape = None

    def call(self, inputs):
        if self.tape is not None:
            self.tape.watch(inputs)
        return inputs

    def compute_output_shape(self, inputs_shape):
        """The shape of what comes in."""
        return inputs_shape
