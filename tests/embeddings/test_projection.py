"""Maps of vectors, and the sample of images shown on them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medxray.embeddings.projection import project, stratified_rows
from medxray.errors import ConfigError, DataError


def test_pca_by_hand():
    """Points on a line through (1, 1): all variance lies in the first component."""
    t = np.array([-2.0, -1, 0, 1, 2])
    found = project(np.column_stack([t, t]), "pca")
    np.testing.assert_allclose(np.abs(found.points[:, 0]), np.abs(t) * np.sqrt(2), atol=1e-12)
    np.testing.assert_allclose(found.points[:, 1], 0, atol=1e-12)
    assert found.axes[0] == "component 1 (100.0% of the variance)"


def test_pca_keeps_distances_of_plane_data():
    vectors = np.random.default_rng(0).normal(size=(20, 2))
    points = project(vectors @ np.linalg.qr(np.random.default_rng(1).normal(size=(5, 2)))[0].T, "pca").points
    assert np.linalg.norm(points[3] - points[8]) == pytest.approx(np.linalg.norm(vectors[3] - vectors[8]))


def test_one_feature_is_enough():
    for method in ("pca", "tsne"):
        assert project(np.arange(8.0)[:, None], method).points.shape == (8, 2)


def test_tsne_keeps_clusters_together_and_repeats():
    rng = np.random.default_rng(0)
    y_true = np.arange(60) % 3
    vectors = rng.normal(size=(60, 70)) + 12 * np.eye(70)[y_true]
    first, second = project(vectors, "tsne", seed=4), project(vectors, "tsne", seed=4)
    np.testing.assert_array_equal(first.points, second.points)
    distance = np.linalg.norm(first.points[:, None] - first.points[None], axis=2) + 1e9 * np.eye(60)
    assert (y_true[distance.argmin(axis=1)] == y_true).mean() == 1.0
    assert first.settings == {"components": 50, "perplexity": pytest.approx(59 / 3), "seed": 4, "start": "pca"}


def test_what_cannot_be_mapped_is_refused():
    with pytest.raises(ConfigError, match="--method must be one of tsne, pca. Received 'umap'"):
        project(np.zeros((9, 2)), "umap")
    with pytest.raises(DataError, match="at least 5 images. Received 3"):
        project(np.eye(3), "pca")
    with pytest.raises(DataError, match="All 9 vectors are equal"):
        project(np.ones((9, 2)), "tsne")


def test_sample_by_hand():
    strata = np.repeat(["a", "b", "c"], [60, 30, 10])
    chosen = strata[stratified_rows(strata, 20)]
    assert [(chosen == name).sum() for name in "abc"] == [12, 6, 2]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(1, 100), st.integers(0, 5))
def test_sample_has_the_size_and_every_stratum_it_can(counts, limit, seed):
    strata = np.repeat(np.arange(len(counts)), counts)
    rows = stratified_rows(strata, limit, seed=seed)
    assert len(rows) == min(limit, len(strata)) and len(set(rows)) == len(rows)
    assert list(rows) == sorted(rows)
    assert len(np.unique(strata[rows])) == min(len(counts), limit)
    np.testing.assert_array_equal(rows, stratified_rows(strata, limit, seed=seed))


def test_sample_depends_on_the_seed():
    assert list(stratified_rows(np.zeros(500), 20, seed=0)) != list(stratified_rows(np.zeros(500), 20, seed=1))
