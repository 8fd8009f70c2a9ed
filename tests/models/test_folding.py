"""Folded batch normalisation is the same function: outputs, gradients, precision, and what is left alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from medxray.models.classifier import build_classifier, freeze_before, prefix
from medxray.models.folding import folded
from medxray.models.inference import compiled, logits_model
from medxray.models.precision import computed_in

IMAGES = np.random.default_rng(0).uniform(0, 255, (3, 64, 64, 1)).astype(np.float32)


def shaken(arch, **head):
    """A classifier whose normalisations change something."""
    keras.utils.set_random_seed(0)
    model, rng = build_classifier(arch, image_size=64, channels=1, classes=2, **head), np.random.default_rng(1)
    for weight in model.weights:
        around = {"gamma": 1, "moving_variance": 1, "beta": 0, "moving_mean": 0}.get(weight.path.split("/")[-1])
        if around is not None:
            weight.assign(around + rng.uniform(-0.2, 0.2, weight.shape))
    return model


def normalizations(model):
    return [layer.name for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


@pytest.mark.parametrize(
    ("arch", "left"),
    [
        ("efficientnet-lite0", 1),
        ("deep-cnn", 1),
        ("resnet50", 1),
        pytest.param("densenet121", 63, marks=pytest.mark.slow),
        ("mobilenetv3-large", 1),
    ],
)
def test_outputs_are_those_of_the_model(arch, left):
    model = logits_model(shaken(arch))
    quick = folded(model, training=False)
    expected = model(IMAGES).numpy()
    np.testing.assert_allclose(quick(IMAGES).numpy(), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert len(normalizations(quick)) == left < len(normalizations(model))
    assert {id(variable) for variable in quick.variables} == {id(variable) for variable in model.variables}


def gradients(model, variables):
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(model(IMAGES, training=True) ** 2)
    return [part.numpy() for part in tape.gradient(value, [variable.value for variable in variables])]


def test_gradients_of_a_frozen_normalisation_are_those_of_the_model():
    model = shaken("efficientnet-lite0", units=0, dropout=0.0, normalize=False)
    freeze_before(model, None, train_normalization=False, l2=1e-3)
    whole = logits_model(model)
    quick = folded(whole, training=True)
    variables = whole.trainable_variables
    assert [variable.path for variable in quick.trainable_variables] == [variable.path for variable in variables]
    for found, expected in zip(gradients(quick, variables), gradients(whole, variables), strict=True):
        assert np.abs(expected).max() > 0
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
    assert len(quick.losses) == len(whole.losses) > 30
    np.testing.assert_allclose(sum(map(float, quick.losses)), sum(map(float, whole.losses)), rtol=1e-6)


def test_normalisation_that_learns_is_left_alone():
    model = logits_model(shaken("deep-cnn"))
    assert folded(model, training=True) is model
    model.get_layer(normalizations(model)[0]).trainable = False
    assert len(normalizations(folded(model, training=True))) == len(normalizations(model)) - 1


def test_a_graph_without_pairs_and_an_output_that_is_asked_for_stay_as_they_are():
    vgg = logits_model(shaken("vgg16"))
    assert folded(vgg, training=False) is vgg
    model = shaken("shallow-cnn")
    part = prefix(model, ("block1_conv", "block2_relu"))
    quick = folded(part, training=False)
    for found, expected in zip(quick(IMAGES), part(IMAGES), strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-4, atol=1e-3)
    assert "block1_conv" in [layer.name for layer in quick.layers]


def test_precision_is_that_of_the_layers_when_it_is_traced():
    model = shaken("efficientnet-lite0")
    whole = logits_model(model)
    with computed_in(model, "bfloat16"):
        low = compiled(whole)
        found = low(tf.constant(IMAGES))[0].numpy()
    expected = whole(IMAGES).numpy()
    gap = np.abs(found - expected).max() / np.abs(expected).max()
    assert 1e-5 < gap < 0.1
