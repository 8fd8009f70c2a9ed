import numpy as np
import tensorflow as tf

from medxray.explain.passes import whole_network
from medxray.explain.versions import differ, every_version, version_scores
from tests.fixtures.tiny_networks import place_network


def test_each_score_is_that_of_its_own_image_version_and_class():
    """Version v of image i is the image times v + 10 i; 66 versions go through the network in three batches."""
    network, pixels = whole_network(place_network([[1, 2], [3, 4]])), tf.constant([1.0, 2.0, 3.0])[:, None, None, None]
    pixels = pixels * tf.ones((3, 2, 2, 1))
    versions = tf.stack([tf.range(22), tf.range(22)[::-1], tf.range(22) * 2])

    def change(some, rows, numbers):
        return some * tf.cast(numbers + 10 * rows, tf.float32)[:, None, None, None]

    scores = version_scores(network, pixels, tf.constant([0, 1, 0]), change, versions)
    factors = versions.numpy() + 10 * np.arange(3)[:, None]
    np.testing.assert_allclose(scores, 10 * factors * np.array([[1], [-2], [3]]), rtol=1e-5)


def test_scores_that_differ_by_rounding_only_are_equal():
    scores = tf.constant([[3.0, 3.0 + 1e-6, 3.0], [3.0, 3.1, 3.0], [0.0, 0.0, 0.0], [0.0, 1e-6, 0.0]])
    np.testing.assert_array_equal(differ(scores), [0, 1, 0, 1])


def test_every_version_of_each_image_is_numbered():
    np.testing.assert_array_equal(every_version(tf.zeros((2, 4, 4, 1)), 3), [[0, 1, 2], [0, 1, 2]])


def test_batches_are_as_few_as_can_be_and_of_one_size():
    """33 versions take two batches of 17, not two of 32."""
    sizes, pixels = [], tf.ones((3, 2, 2, 1))

    def network(images):
        tf.py_function(lambda seen: sizes.append(len(seen)), [images], [])
        return tf.zeros((tf.shape(images)[0], 2)), None

    def change(some, rows, numbers):
        return some

    scores = version_scores(network, pixels, tf.constant([0, 0, 0]), change, every_version(pixels, 11))
    assert scores.shape == (3, 11) and sizes == [17, 17]
