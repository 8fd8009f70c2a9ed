import numpy as np
import pytest
import tensorflow as tf

from medxray.explain.gradcam_plus_plus import gradcam_plus_plus_graph
from medxray.explain.maps import fixed_target
from medxray.explain.passes import gradient_pass
from tests.fixtures.tiny_networks import PIXELS, headed_network, images, linear_network, to_one


def explained(model, layer, pixels, target=0):
    return gradcam_plus_plus_graph(model, layer)(tf.constant(pixels), fixed_target(target)).maps.numpy()


def test_the_map_is_what_the_equations_give_by_hand():
    """Of S = 2 mean(A1) + mean(A2), every cell of A1 has g = 2/4 and of A2 g = 1/4; both channels sum to 24.

    alpha = g^2 / (2 g^2 + 24 g^3) = 1 / (2 + 24 g): 1/14 and 1/8. Weights: 4 / 14 / 2 = 1/7 and 4 / 8 / 4 = 1/8.
    Map: x / 7 + (12 - x) / 8 = 1.5 + x / 56.
    """
    maps = explained(linear_network([[2.0, 0.0], [1.0, 0.0]]), "conv", PIXELS)
    np.testing.assert_allclose(maps[0], [[0, 1 / 3], [2 / 3, 1]], atol=1e-5)


def test_coefficients_turn_the_order_that_gradcam_gives():
    """S = 8 mean(A1) + 6 mean(A2), weights 8 / (2 + 2 sum(A1)) and 6 / (2 + 1.5 sum(A2)): .16 and .1579.

    With 18 more in each cell of A1 its sum is 96, and its weight .0412.
    """
    model = linear_network([[8.0, 0.0], [6.0, 0.0]])
    np.testing.assert_allclose(explained(model, "conv", PIXELS)[0], [[0, 1 / 3], [2 / 3, 1]], atol=1e-4)
    model.get_layer("conv").set_weights([np.array([[[[1.0, -1.0]]]]), np.array([18.0, 12.0])])
    np.testing.assert_allclose(explained(model, "conv", PIXELS)[0], [[1, 2 / 3], [1 / 3, 0]], atol=1e-5)


@pytest.mark.parametrize("total", [-4.0, -3.9999, -4.0001, -3.97, -16.0])
def test_a_coefficient_whose_denominator_is_not_well_above_0_is_0(total):
    """Of S = 2 mean(A1) + mean(A2), A1 has g = 1/2: its denominator is 2 + total / 2. A2 alone is left: 12 - x."""
    model = linear_network([[2.0, 0.0], [1.0, 0.0]])
    model.get_layer("conv").set_weights([np.array([[[[1.0, -1.0]]]]), np.array([(total - 24) / 4, 12.0])])
    np.testing.assert_allclose(explained(model, "conv", PIXELS)[0], [[1, 2 / 3], [1 / 3, 0]], atol=1e-5)


def test_channels_below_0_have_the_coefficients_of_the_paper_where_the_denominator_is_sound():
    """A1 = x - 6.5 sums to -2: 4 / (2 - 1) / 2 = 2. A2 = 12 - x: 1/8. Map: 2 x - 13 + (12 - x) / 8, cut at 0."""
    model = linear_network([[2.0, 0.0], [1.0, 0.0]])
    model.get_layer("conv").set_weights([np.array([[[[1.0, -1.0]]]]), np.array([-6.5, 12.0])])
    expected = to_one(np.maximum(2 * PIXELS[0, ..., 0] - 13 + (12 - PIXELS[0, ..., 0]) / 8, 0))
    np.testing.assert_allclose(explained(model, "conv", PIXELS)[0], expected, atol=1e-5)


@pytest.mark.parametrize("target", [0, 1, 2])
def test_the_short_form_is_that_of_the_paper_with_exp_and_its_second_and_third_derivatives(target):
    model, pixels = headed_network(units=5), images()
    activations, gradients, logits, _ = gradient_pass(model, "last")(tf.constant(pixels), fixed_target(target))
    a, g = np.asarray(activations, float), np.asarray(gradients, float)
    logits = np.asarray(logits, float)
    score = (3 * logits[:, target] - logits.sum(axis=1)) / 2
    exp = np.exp(score)[:, None, None, None]
    first, second, third = exp * g, exp * g**2, exp * g**3
    below = 2 * second + a.sum(axis=(1, 2), keepdims=True) * third
    alpha = np.divide(second, below, out=np.zeros_like(below), where=below != 0)
    weights = (alpha * np.maximum(first, 0)).sum(axis=(1, 2), keepdims=True)
    expected = np.maximum((weights * a).sum(axis=-1), 0)
    for found, wanted in zip(explained(model, "last", pixels, target), expected, strict=True):
        np.testing.assert_allclose(found, to_one(wanted) if np.ptp(wanted) > 0 else 0 * wanted, atol=1e-4)
