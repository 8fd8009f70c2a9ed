import numpy as np
import tensorflow as tf

from medxray.explain.layercam import layercam_graph
from medxray.explain.maps import fixed_target
from tests.fixtures.tiny_networks import PIXELS, linear_network, place_network


def explained(model, pixels, target=0):
    return layercam_graph(model, "conv")(tf.constant(pixels), fixed_target(target)).maps.numpy()[0]


def test_each_activation_has_the_weight_of_its_own_gradient():
    """The gradients are 1, 3, -2 and 0.5; times the pixels 0, 4, 8 and 12, negative ones left out: 0, 12, 0, 6."""
    maps = explained(place_network([[1, 3], [-2, 0.5]]), PIXELS)
    np.testing.assert_allclose(maps, [[0, 1], [0, 0.5]], atol=1e-6)


def test_the_other_class_has_the_gradients_with_the_other_sign():
    maps = explained(place_network([[1, 3], [-2, 0.5]]), PIXELS, target=1)
    np.testing.assert_allclose(maps, [[0, 0], [1, 0]], atol=1e-6)


def test_channels_with_a_negative_gradient_add_nothing():
    """S = 2 mean(A1) - 5 mean(A2): the map is that of A1 = x alone."""
    maps = explained(linear_network([[2.0, 0.0], [-5.0, 0.0]]), PIXELS)
    np.testing.assert_allclose(maps, [[0, 1 / 3], [2 / 3, 1]], atol=1e-6)
