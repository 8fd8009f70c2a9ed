import keras
import numpy as np
import pytest
import tensorflow as tf

from medxray.explain.maps import fixed_target, target_scores
from medxray.explain.passes import gradient_pass, layer_network, whole_network
from medxray.models.inference import trunk


@pytest.fixture(scope="module")
def model(classifier_of):
    """Residual branches and batch normalisations."""
    return classifier_of("efficientnet-lite0", size=32, channels=1, classes=2)


@pytest.fixture(scope="module")
def pixels():
    return tf.constant(np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 1)), tf.float32)


def by_one_tape(model, layer, pixels):
    joint = keras.Model(model.input, [model.get_layer(layer).output, model.get_layer("logits").output])
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        activations, logits = joint(pixels, training=False)
        scores = target_scores(logits, fixed_target(1))
    return activations, tape.gradient(scores, activations)


def of_kind(model, kind, after):
    names = [layer.name for layer in model.layers if isinstance(layer, kind)]
    return names[int(after * len(names))]


@pytest.mark.parametrize("kind", [keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.BatchNormalization])
def test_layers_inside_residual_branches_have_the_gradient_of_the_whole_graph(model, pixels, kind):
    layer = of_kind(model, kind, 0.6)
    found = gradient_pass(model, layer)(pixels, fixed_target(1))
    activations, gradients = by_one_tape(model, layer, pixels)
    scale = np.abs(gradients).max()
    assert scale > 0
    np.testing.assert_allclose(found.activations, activations, rtol=1e-4, atol=1e-4 * np.abs(activations).max())
    np.testing.assert_allclose(found.gradients, gradients, rtol=1e-4, atol=1e-4 * scale)


def test_nothing_below_the_layer_is_differentiated(model):
    passed = gradient_pass(model, "top_relu")
    images = tf.TensorSpec((None, *model.input.shape[1:]), tf.float32)
    graph = tf.function(lambda some: passed(some, fixed_target(1)), input_signature=[images]).get_concrete_function()
    kinds = [operation.type for operation in graph.graph.get_operations()]
    assert sum("Conv" in kind and "Backprop" in kind for kind in kinds) == 0
    assert sum(kind == "FusedBatchNormV3" for kind in kinds) == 0  # folded
    assert sum(kind == "Conv2D" for kind in kinds) == sum(type(layer) is keras.layers.Conv2D for layer in model.layers)


def test_every_network_gives_the_logits_and_pooled_features_of_the_model(model, pixels):
    logits, pooled = trunk(model)(pixels, training=False)
    scales = np.abs(logits).max(), np.abs(pooled).max()
    answers = whole_network(model)(pixels), layer_network(model, "top_relu")(pixels)[1:]
    for answer in (*answers, gradient_pass(model, "top_relu")(pixels, fixed_target(0))[2:]):
        for found, expected, scale in zip(answer, (logits, pooled), scales, strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-4 * scale)
