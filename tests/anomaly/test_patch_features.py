"""Patch features by hand: averages over neighbourhoods, grids, channels."""

import keras
import numpy as np

from medxray.anomaly.patch_features import patch_features


def compute(*arrays):
    inputs = [keras.Input(array.shape[1:]) for array in arrays]
    return keras.Model(inputs, patch_features(inputs))([np.asarray(array, np.float32) for array in arrays]).numpy()


def test_average_over_the_positions_that_exist():
    grid = np.arange(12.0).reshape(1, 3, 4, 1)  # 0 1 2 3 / 4 5 6 7 / 8 9 10 11
    found = compute(grid)[0, :, :, 0]
    assert found[0, 0] == (0 + 1 + 4 + 5) / 4
    assert found[0, 1] == (0 + 1 + 2 + 4 + 5 + 6) / 6
    assert found[1, 2] == (1 + 2 + 3 + 5 + 6 + 7 + 9 + 10 + 11) / 9


def test_constant_maps_stay_constant_on_every_grid():
    fine, coarse = np.full((2, 6, 4, 3), 5.0), np.full((2, 3, 2, 2), -7.0)
    found = compute(fine, coarse)
    assert found.shape == (2, 6, 4, 5)
    np.testing.assert_array_equal(found[..., :3], 5)
    np.testing.assert_array_equal(found[..., 3:], -7)


def test_coarse_layer_is_interpolated_between_the_centres_of_its_cells():
    coarse = np.array([0.0, 1.0]).reshape(1, 1, 2, 1)  # both positions average to 0.5 over their neighbourhood
    np.testing.assert_allclose(compute(np.zeros((1, 2, 4, 1)), coarse)[..., 1], 0.5)
    coarse = np.array([0.0, 0.0, 4.0, 4.0]).reshape(1, 1, 4, 1)  # averages 0, 4/3, 8/3, 4 at 0.5, 1.5, 2.5, 3.5
    found = compute(np.zeros((1, 1, 8, 1)), coarse)[0, 0, :, 1]
    np.testing.assert_allclose(found, np.array([0, 1, 3, 5, 7, 9, 11, 12]) / 3, atol=1e-6)
