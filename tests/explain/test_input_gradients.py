import numpy as np
import pytest
import tensorflow as tf

from medxray.explain.input_gradients import input_gradient, mean_gradient, strength
from medxray.explain.maps import fixed_target, target_scores
from medxray.explain.passes import whole_network
from tests.fixtures.tiny_networks import headed_network, images, place_network


def test_the_strongest_channel_counts_whatever_its_sign():
    gradients = tf.constant([[[[1.0, -3.0, 2.0], [0.5, 0.25, -0.5]]]])
    np.testing.assert_array_equal(strength(gradients), [[[3.0, 0.5]]])


def test_a_mean_gradient_is_that_of_the_versions_one_by_one():
    """The logit of class 0 is linear, so its gradient is the weights, whatever the version."""
    weights = np.array([[1.0, 3.0], [-2.0, 0.5]], np.float32)
    network, pixels = whole_network(place_network(weights)), tf.ones((2, 2, 2, 1))
    gradients = mean_gradient(network, tf.constant([0, 1]), lambda number: pixels * tf.cast(number, tf.float32), 3)
    np.testing.assert_allclose(gradients[..., 0], [weights, -weights], atol=1e-6)


@pytest.mark.parametrize("target", [0, 2])
def test_gradients_are_the_change_of_the_score_for_a_small_step(target):
    network, pixels = whole_network(headed_network(units=5)), images(1)
    gradients, *_ = input_gradient(network, tf.constant(pixels), fixed_target(target))
    for place in ((0, 2, 3, 1), (0, 7, 7, 0)):
        step = np.zeros_like(pixels)
        step[place] = 0.5
        high, low = (target_scores(network(tf.constant(pixels + s))[0], fixed_target(target))[0] for s in (step, -step))
        assert gradients.numpy()[place] == pytest.approx(float(high - low), rel=0.05, abs=1e-4)
