"""The shrunk Gaussian against scikit-learn's distances and by hand."""

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from medxray.gate.gaussian import fit_gaussian


def distance(gaussian, rows):
    return np.sqrt((((rows - gaussian.mean) @ gaussian.whitening) ** 2).sum(axis=1))


def test_distances_are_those_of_ledoit_and_wolf():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(80, 12)) @ rng.normal(size=(12, 12)) + 5
    others = rng.normal(size=(20, 12)) * 3
    expected = np.sqrt(LedoitWolf().fit(rows).mahalanobis(others))
    np.testing.assert_allclose(distance(fit_gaussian(rows), others), expected, rtol=1e-3)


def test_blur_is_a_deviation_added_to_every_direction():
    rows = np.array([[-1.0, 0], [1, 0], [-1, 0], [1, 0]])
    variances = np.diag(LedoitWolf().fit(rows).covariance_)
    found = distance(fit_gaussian(rows, blur=0.5), np.eye(2))
    np.testing.assert_allclose(found, 1 / np.sqrt(variances + 0.25), rtol=1e-5)


def test_equal_rows_have_a_finite_gaussian():
    gaussian = fit_gaussian(np.ones((5, 3)))
    assert np.isfinite(gaussian.whitening).all()
    assert distance(gaussian, np.ones((1, 3)))[0] == pytest.approx(0)
    assert distance(gaussian, np.zeros((1, 3)))[0] > 1000
