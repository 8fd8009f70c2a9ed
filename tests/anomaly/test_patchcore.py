"""The memory bank: size, origin, neighbours, determinism."""

import numpy as np
import pytest

from medxray.anomaly import patchcore
from medxray.anomaly.patchcore import fit_patchcore, reference_distances
from medxray.errors import ConfigError, DataError
from tests.fixtures.patches import array_patches


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=(10, 2, 3, 4)).astype(np.float32)


@pytest.mark.parametrize(("share", "size"), [(0.25, 15), (1.0, 60), (1e-6, 1)])
def test_size_of_the_bank_is_the_share_of_all_patches(values, share, size):
    fit = fit_patchcore(array_patches(values, batch_size=3), share=share)
    assert fit.bank.shape == (size, 4) and fit.neighbors.shape == (size, min(size, patchcore.NEIGHBORS))
    assert {tuple(row) for row in fit.bank} <= {tuple(row) for row in values.reshape(-1, 4)}
    assert len({tuple(row) for row in fit.bank}) == size


def test_candidates_are_a_random_sample_of_all_images(values, monkeypatch):
    monkeypatch.setattr(patchcore, "CANDIDATES", 30)
    values[:] = np.arange(60).reshape(10, 2, 3, 1)
    one, same, other = (
        fit_patchcore(array_patches(values, batch_size=size), share=0.5, seed=seed).bank[:, 0]
        for size, seed in ((3, 0), (10, 0), (3, 1))
    )
    assert len(set(one)) == 30 and one.min() < 12 and one.max() >= 48
    np.testing.assert_array_equal(one, same)
    assert set(one) != set(other)


def test_neighbors_by_hand(monkeypatch):
    monkeypatch.setattr(patchcore, "NEIGHBORS", 3)
    line = np.array([0.0, 1.0, 3.0, 7.0]).reshape(4, 1, 1, 1)
    fit = fit_patchcore(array_patches(line), share=1.0)
    named = {float(fit.bank[row, 0]): fit.bank[near, 0].tolist() for row, near in enumerate(fit.neighbors)}
    assert named == {0.0: [0, 1, 3], 1.0: [1, 0, 3], 3.0: [3, 1, 0], 7.0: [7, 3, 1]}


def test_each_vector_is_its_own_first_neighbour_even_among_equal_ones():
    fit = fit_patchcore(array_patches(np.ones((5, 2, 2, 3))), share=1.0)
    np.testing.assert_array_equal(fit.neighbors[:, 0], np.arange(20))


def test_reference_distances_by_hand():
    patches = np.array([[[[3.0, 4.0], [0.0, 1.0]]]])
    np.testing.assert_allclose(reference_distances(patches, np.array([[0.0, 0.0], [0.0, 2.0]])), [[[13**0.5, 1.0]]])


def test_impossible_requests_are_named(values):
    for share in (0, -1, 1.5, float("nan")):
        with pytest.raises(ConfigError, match="--coreset must be a share above 0 and at most 1"):
            fit_patchcore(array_patches(values), share=share)
    with pytest.raises(DataError, match="needs normal images. Received none"):
        fit_patchcore(array_patches(values[:0]), share=0.5)
    with pytest.raises(DataError, match="not finite"):
        fit_patchcore(array_patches(np.full((3, 1, 1, 2), np.inf)), share=0.5)
