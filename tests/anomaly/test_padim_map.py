"""PaDiM's layers against distances by hand and by linear algebra."""

import keras
import numpy as np
import pytest

from medxray.anomaly.padim import fit_padim, padim_map
from tests.fixtures.patches import array_patches


def build(grid, dimensions, **numbers):
    patches = keras.Input((*grid, dimensions))
    return keras.Model(patches, padim_map(patches, **numbers))


def test_distances_by_hand():
    model = build((1, 2), 3, channels=[0, 2], mean=[[1.0, 2.0], [0.0, 0.0]], whitening=[np.diag([1.0, 0.5]), np.eye(2)])
    patches = np.array([[[[4.0, 99.0, 10.0], [6.0, -99.0, 8.0]]]], np.float32)  # minus mean: (3, 8) and (6, 8)
    np.testing.assert_allclose(model(patches), [[[5.0, 10.0]]], rtol=1e-6)


def test_whitening_of_each_position_is_applied_from_the_right():
    whitening = np.array([[[1.0, 2.0], [0.0, 1.0]], [[3.0, 0.0], [0.0, 4.0]]])
    model = build((2, 1), 2, channels=[0, 1], mean=np.zeros((2, 2)), whitening=whitening)
    patches = np.array([[[[1.0, 1.0]], [[1.0, 1.0]]]], np.float32)  # (1,1) W = (1, 3) and (3, 4)
    np.testing.assert_allclose(model(patches), [[[np.sqrt(10)], [5.0]]], rtol=1e-6)


def test_fit_and_layers_give_the_mahalanobis_distance():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(2, 3, 4, 4))
    values = 1000 + np.einsum("nhwd,hwde->nhwe", rng.normal(size=(40, 2, 3, 4)), mixing)
    fit = fit_padim(array_patches(values.astype(np.float32), batch_size=7), dimensions=3, seed=1)
    model = build((2, 3), 4, channels=fit.channels, mean=fit.mean, whitening=fit.whitening)
    found = model(values[:5].astype(np.float32)).numpy()
    for row, column in np.ndindex(2, 3):
        sample = values.astype(np.float32)[:, row, column, fit.channels].astype(np.float64)
        inverse = np.linalg.inv(np.cov(sample, rowvar=False) + 0.01 * np.eye(3))
        offset = sample[:5] - sample.mean(axis=0)
        expected = np.sqrt(np.einsum("nd,de,ne->n", offset, inverse, offset))
        np.testing.assert_allclose(found[:, row, column], expected, rtol=1e-3)


def test_numbers_are_weights_that_do_not_train_and_not_in_the_configuration():
    model = build((2, 2), 3, channels=[1, 2], mean=np.full((4, 2), 0.123456), whitening=np.tile(np.eye(2), (4, 1, 1)))
    assert not model.trainable_weights and "0.123456" not in model.to_json()
    assert {layer.__module__.split(".")[0] for layer in model.layers} == {"keras"}


def test_numbers_of_another_grid_are_refused():
    with pytest.raises(ValueError):
        build((2, 2), 3, channels=[1, 2], mean=np.zeros((5, 2)), whitening=np.tile(np.eye(2), (5, 1, 1)))
