"""The losses of a classifier: smoothing, focal weight, mixed labels."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from medxray.metrics.calibration import calibrated_nll
from medxray.training import loop
from medxray.training.checkpoint import Position
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


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_focal_loss_has_a_slope_where_an_image_is_surely_right(gamma):
    logits = tf.Variable([[40.0, 0.0], [0.0, 0.0]])
    with tf.GradientTape() as tape:
        found = classification(focal_gamma=gamma).loss(tf.constant([0, 0]), logits)
    slopes = tape.gradient(found, logits).numpy()
    assert np.isfinite(slopes).all() and np.abs(slopes[0]).max() < 1e-3 < np.abs(slopes[1]).min()


def test_mixed_labels_weigh_the_classes_by_their_shares():
    expected = [-0.75 * np.log(0.8) - 0.25 * np.log(0.2), -np.log(0.7)]
    np.testing.assert_allclose(loss([[0.75, 0.25], [0.0, 1.0]]), expected, rtol=1e-6)


@pytest.mark.parametrize(("truth", "accuracy"), [([0, 1], 1.0), ([0, 0], 0.5), ([[0.6, 0.4], [0.9, 0.1]], 0.5)])
def test_accuracy_takes_labels_and_shares(truth, accuracy):
    (metric,) = classification().metrics()
    metric.update_state(tf.constant(truth), tf.constant(LOGITS))
    assert float(metric.result()) == pytest.approx(accuracy)


def test_what_calibration_takes_away_is_not_in_the_figure_that_keeps_an_epoch():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 200)
    logits = rng.normal(size=(200, 3)) + np.eye(3)[truth]
    figures = classification().figures
    moved = figures(truth, 3.0 * logits + [0.0, 4.0, -2.0])
    assert moved["calibrated_nll"] == pytest.approx(figures(truth, logits)["calibrated_nll"], abs=1e-6)
    assert moved["nll"] > figures(truth, logits)["nll"] + 1
    assert figures(truth, rng.normal(size=(200, 3)))["calibrated_nll"] > moved["calibrated_nll"] + 0.1


@pytest.mark.parametrize("count", [50, 200])
def test_an_epoch_without_error_is_better_than_the_same_one_with_errors(count):
    truth = np.repeat([0, 1], count)
    margins = np.random.default_rng(0).uniform(2, 6, 2 * count)
    logits = np.stack([np.zeros(2 * count), np.where(truth == 1, margins, -margins)], axis=1)
    wrong = logits.copy()
    wrong[[0, -1], 1] *= -1
    right, worse = (classification().figures(truth, these)["calibrated_nll"] for these in (logits, wrong))
    assert right < 1e-4 < worse


def test_a_class_without_validation_images_leaves_the_logits_as_they_are():
    assert calibrated_nll(LOGITS, np.array([0, 0])) == pytest.approx(-np.log([0.8, 0.3]).mean())
    assert np.isnan(calibrated_nll(LOGITS * np.nan, np.array([0, 1])))


def test_with_too_few_images_for_a_calibration_the_loss_keeps_the_epoch():
    few, many = np.repeat([0, 1], [49, 60]), np.repeat([0, 1], [50, 60])
    figures = [classification().figures(truth, np.zeros((len(truth), 2))) for truth in (few, many)]
    assert ["calibrated_nll" in found for found in figures] == [False, True]


@pytest.mark.parametrize(("earlier", "kept"), [({}, 1), ({"val_calibrated_nll": 0.3}, 2)])
def test_a_stage_that_an_earlier_version_began_goes_on_with_the_loss(earlier, kept):
    setup = SimpleNamespace(objective=classification(), stage=SimpleNamespace(name="main"))
    first = {"stage": "main", "epoch": 1, "val_loss": 0.3, **earlier}
    position = Position("main", epoch=1, best_loss=0.3, best_epoch=1, history=({"stage": "head"}, first))
    row = {"stage": "main", "epoch": 2, "val_loss": 0.4, "val_calibrated_nll": 0.2}
    assert loop._advance(position, row, loop._watched(setup, position)).best_epoch == kept


def test_validation_is_measured_without_smoothing_and_focal_weight():
    objective = classification(label_smoothing=0.3, focal_gamma=2.0)
    np.testing.assert_allclose(objective.loss_of_each(np.array([0, 0]), LOGITS), [-np.log(0.8), -np.log(0.3)], 1e-6)
