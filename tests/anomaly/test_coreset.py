"""The greedy coreset: by hand, against a plain loop, and its guarantee."""

import numpy as np
import pytest

from medxray.anomaly.coreset import PROJECTED, greedy_coreset


def plain(vectors, first, size):
    """Algorithm 1 word for word, in float64."""
    chosen = [first]
    while len(chosen) < size:
        distances = np.linalg.norm(vectors[:, None] - vectors[chosen][None], axis=2).min(axis=1)
        chosen.append(int(np.argmax(distances)))
    return chosen


def test_on_a_line_by_hand():
    line = np.array([[0.0], [1.0], [2.0], [9.0], [20.0]])
    orders = {
        0: [0, 4, 3, 2, 1],  # 20 is farthest from 0, then 9; of 1 and 2 the 2
        4: [4, 0, 3, 2, 1],
    }
    seen = set()
    for seed in range(20):
        chosen = greedy_coreset(line, 5, seed=seed).tolist()
        if chosen[0] in orders:
            assert chosen == orders[chosen[0]]
            seen.add(chosen[0])
    assert seen == {0, 4}


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_plain_algorithm(seed):
    vectors = np.random.default_rng(seed).normal(size=(60, 5)) + 100
    chosen = greedy_coreset(vectors, 20, seed=seed).tolist()
    assert chosen == plain(vectors, chosen[0], 20)


def test_every_vector_once_even_when_all_are_equal():
    assert sorted(greedy_coreset(np.full((6, 3), 7.0), 6)) == list(range(6))


def test_seed_decides():
    vectors = np.random.default_rng(0).normal(size=(50, 4))
    np.testing.assert_array_equal(greedy_coreset(vectors, 9, seed=1), greedy_coreset(vectors, 9, seed=1))
    assert greedy_coreset(vectors, 9, seed=1)[0] != greedy_coreset(vectors, 9, seed=2)[0]


def test_long_vectors_are_projected_and_every_cluster_is_still_found():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(12, 4 * PROJECTED))
    cluster = np.r_[np.repeat(0, 500), np.arange(1, 12)]  # one crowd and eleven lonely vectors
    vectors = centres[cluster] + 0.05 * rng.normal(size=(len(cluster), 4 * PROJECTED))
    assert set(cluster[greedy_coreset(vectors, 12)]) == set(range(12))
