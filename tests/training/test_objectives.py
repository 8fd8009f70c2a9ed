"""The losses of a classifier: smoothing, focal weight, mixed labels."""

import numpy as np
import pytest
import tensorflow as tf

from medxray.training.objectives import classification

LOGITS = np.log(np.float32([[0.8, 0.2], [0.3, 0.7]]))


def loss(truth, **settings):
    return classification(**settings).loss(tf.constant(truth), tf.constant(LOGITS)).numpy()


def test_plain_loss_is_the_cross_entropy_of_the_labels():
    np.testing.assert_allclose(loss([0, 0]), [-np.log(0.8), -np.log(0.3)], rtol=1e-6)
    np.testing.assert_allclose(loss([[0], [1]]), [-np.log(0.8), -np.log(0.7)], rtol=1e-6)


def test_smoothing_spreads_a_share_over_all_classes():
    expected = [-0.9 * np.log(0.8) - 0.1 * np.log(0.2), -0.1 * np.log(0.3) - 0.9 * np.log(0.7)]
    np.testing.assert_allclose(loss([0, 1], label_smoothing=0.2), expected, rtol=1e-6)


def test_focal_loss_takes_weight_from_images_that_are_right():
    expected = [-(0.2**2) * np.log(0.8), -(0.7**2) * np.log(0.3)]
    np.testing.assert_allclose(loss([0, 0], focal_gamma=2.0), expected, rtol=1e-5)


def test_mixed_labels_weigh_the_classes_by_their_shares():
    expected = [-0.75 * np.log(0.8) - 0.25 * np.log(0.2), -np.log(0.7)]
    np.testing.assert_allclose(loss([[0.75, 0.25], [0.0, 1.0]]), expected, rtol=1e-6)


@pytest.mark.parametrize(("truth", "accuracy"), [([0, 1], 1.0), ([0, 0], 0.5), ([[0.6, 0.4], [0.9, 0.1]], 0.5)])
def test_accuracy_takes_labels_and_shares(truth, accuracy):
    (metric,) = classification().metrics()
    metric.update_state(tf.constant(truth), tf.constant(LOGITS))
    assert float(metric.result()) == pytest.approx(accuracy)


def test_validation_is_measured_without_smoothing_and_focal_weight():
    objective = classification(label_smoothing=0.3, focal_gamma=2.0)
    np.testing.assert_allclose(objective.loss_of_each(np.array([0, 0]), LOGITS), [-np.log(0.8), -np.log(0.3)], 1e-6)
