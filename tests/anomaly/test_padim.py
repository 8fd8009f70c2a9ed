"""The Gaussian at each position by hand and by numpy."""

import numpy as np
import pytest

from medxray.anomaly.padim import choose_channels, fit_padim
from medxray.anomaly.patches import Patches
from medxray.errors import ConfigError, DataError
from tests.fixtures.patches import array_patches


def test_mean_and_covariance_by_hand():
    values = np.array([[1.0, 0.0], [3.0, 0.0], [5.0, 0.0]]).reshape(3, 1, 1, 2)  # variances 4 and 0
    fit = fit_padim(array_patches(values, batch_size=2), dimensions=2)
    np.testing.assert_allclose(fit.mean, [[3.0, 0.0]])
    np.testing.assert_allclose(fit.whitening, [np.diag([1 / np.sqrt(4.01), 10.0])], rtol=1e-6)


def test_whitening_is_a_root_of_the_inverse_covariance_of_each_position():
    values = np.random.default_rng(0).normal(50, [1, 3, 0.2], (60, 2, 2, 3))
    values[..., 2] += values[..., 0]
    fit = fit_padim(array_patches(values, batch_size=16), dimensions=3)
    for position, (row, column) in enumerate(np.ndindex(2, 2)):
        sample = values[:, row, column].astype(np.float32).astype(np.float64)
        covariance = np.cov(sample, rowvar=False) + 0.01 * np.eye(3)
        np.testing.assert_allclose(fit.mean[position], sample.mean(axis=0), rtol=1e-6)
        found = fit.whitening[position].astype(np.float64)
        np.testing.assert_allclose(found @ found.T, np.linalg.inv(covariance), rtol=1e-4)


def test_batches_do_not_matter_even_far_from_zero():
    values = np.random.default_rng(0).normal(1000, 0.5, (30, 1, 2, 4)).astype(np.float32)
    one, many = (fit_padim(array_patches(values, batch_size=size), dimensions=4) for size in (30, 7))
    np.testing.assert_allclose(one.mean, many.mean, rtol=1e-7)
    np.testing.assert_allclose(one.whitening, many.whitening, rtol=1e-5, atol=1e-6)


def test_channels_follow_the_seed():
    chosen = choose_channels(50, 10, seed=3)
    assert len(set(chosen)) == 10 and chosen.min() >= 0 and chosen.max() < 50 and (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, choose_channels(50, 10, seed=3))
    assert not np.array_equal(chosen, choose_channels(50, 10, seed=4))
    np.testing.assert_array_equal(choose_channels(4, 100, seed=0), [0, 1, 2, 3])


def test_only_the_chosen_channels_are_used():
    values = np.random.default_rng(0).normal(np.arange(6) * 10, 1, (20, 1, 1, 6))
    fit = fit_padim(array_patches(values), dimensions=2, seed=5)
    np.testing.assert_allclose(fit.mean[0], fit.channels * 10, atol=1)


def test_impossible_requests_are_named():
    values = np.zeros((3, 1, 1, 2))
    with pytest.raises(ConfigError, match="--dimensions must be at least 1. Received 0"):
        fit_padim(array_patches(values), dimensions=0)
    with pytest.raises(DataError, match="at least 2 normal images. Received 1"):
        fit_padim(array_patches(values[:1]), dimensions=2)
    with pytest.raises(DataError, match="not finite"):
        fit_padim(array_patches(np.full((3, 1, 1, 2), np.nan)), dimensions=2)


def test_batches_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="4 images were announced. Received 3"):
        fit_padim(Patches(lambda: iter([np.zeros((3, 1, 1, 2))]), 4, 1, 1, 2), dimensions=2)
    with pytest.raises(DataError, match=r"shape \(1, 1, 2\). Received \(1, 2, 2\)"):
        fit_padim(Patches(lambda: iter([np.zeros((3, 1, 2, 2))]), 3, 1, 1, 2), dimensions=2)
