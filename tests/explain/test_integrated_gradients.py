import numpy as np
import pytest
import tensorflow as tf

from medxray.explain.integrated_gradients import attributions, integrated_gradients_graph
from medxray.explain.maps import fixed_target, target_scores
from medxray.explain.passes import whole_network
from tests.fixtures.tiny_networks import PIXELS, headed_network, images, place_network, square_network


def test_of_a_linear_score_each_pixel_has_weight_times_value():
    """Weights 1, 3, -2, 0.5 and pixels 0, 4, 8, 12: 0, 12, -16 and 6; what is negative is not shown."""
    model = place_network([[1, 3], [-2, 0.5]])
    shares = attributions(whole_network(model), tf.constant(PIXELS), tf.constant([0]), 3)
    np.testing.assert_allclose(shares[0, ..., 0], [[0, 12], [-16, 6]], atol=1e-5)
    maps = integrated_gradients_graph(model, None, steps=3)(tf.constant(PIXELS), fixed_target(0)).maps
    np.testing.assert_allclose(maps[0], [[0, 1], [0, 0.5]], atol=1e-6)


def test_the_middle_of_each_step_is_exact_for_a_square():
    """The gradient of w x^2 is linear on the way, so even one step gives w x^2."""
    shares = attributions(whole_network(square_network()), tf.constant(PIXELS), tf.constant([0]), 1)
    np.testing.assert_allclose(shares[0, ..., 0], [[0, 2 * 16], [3 * 64, 4 * 144]], rtol=1e-5)


@pytest.mark.parametrize("target", [0, 1, 2])
def test_attributions_add_up_to_the_score_less_that_of_a_black_image(target):
    model, pixels = headed_network(units=32), tf.constant(images(4))
    network = whole_network(model)
    sums = attributions(network, pixels, tf.fill((4,), target), 32).numpy().sum(axis=(1, 2, 3))
    image, black = (target_scores(network(some)[0], fixed_target(target)).numpy() for some in (pixels, 0 * pixels))
    assert np.abs(image - black).min() > 0.1
    np.testing.assert_allclose(sums, image - black, rtol=0.02)


def test_a_black_image_has_a_map_of_0():
    graph = integrated_gradients_graph(headed_network(), None, steps=2)
    assert not graph(tf.zeros((1, 12, 12, 3)), fixed_target(0)).maps.numpy().any()
