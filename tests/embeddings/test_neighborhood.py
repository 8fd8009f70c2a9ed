"""Nearest neighbours, purity and silhouette on numbers that can be checked by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medxray.embeddings.neighborhood import METRICS, nearest, nearest_of_others, purity, silhouette, structure_report
from medxray.errors import ConfigError, DataError

LINE = np.array([[0.0], [1.0], [3.0], [7.0]])


def test_nearest_on_a_line_by_hand():
    distances, rows = nearest([[2.2]], LINE, k=3, metric="euclidean")
    assert rows.tolist() == [[2, 1, 0]]
    np.testing.assert_allclose(distances, [[0.8, 1.2, 2.2]])


def test_metrics_by_hand():
    for metric, expected in {"euclidean": 5.0, "manhattan": 7.0, "cosine": 1 - 0.6}.items():
        reference = [[4.0, 5.0]] if metric != "cosine" else [[3.0, 4.0]]
        distances, _ = nearest([[1.0, 1.0]] if metric != "cosine" else [[2.0, 0.0]], reference, k=1, metric=metric)
        np.testing.assert_allclose(distances, [[expected]])


def test_more_neighbours_than_images_give_all_of_them():
    assert sorted(nearest([[0.0]], LINE, k=9, metric="euclidean")[1][0]) == [0, 1, 2, 3]
    assert nearest(np.zeros((0, 1)), LINE, k=2)[1].shape == (0, 2)


def test_impossible_requests_are_named():
    with pytest.raises(ConfigError, match="--metric must be one of euclidean, cosine, manhattan. Received 'mahal'"):
        nearest(LINE, LINE, k=1, metric="mahal")
    with pytest.raises(ConfigError, match="at least 1. Received 0"):
        nearest(LINE, LINE, k=0)
    with pytest.raises(DataError, match="must have 1 numbers.*Received 2"):
        nearest([[0.0, 1.0]], LINE, k=1)


def test_own_images_are_no_neighbours():
    rows = nearest_of_others(LINE, np.array(["a", "a", "b", "c"]), k=2, metric="euclidean")
    assert rows.tolist() == [[2, 3], [2, 3], [1, 0], [2, 1]]


def test_missing_neighbours_are_marked():
    rows = nearest_of_others(LINE, np.array(["a", "a", "a", "b"]), k=2, metric="euclidean")
    assert rows.tolist() == [[3, -1], [3, -1], [3, -1], [2, 1]]
    alone = nearest_of_others(LINE, np.array(["a"] * 4), k=2, metric="euclidean")
    assert (alone == -1).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(METRICS), st.integers(1, 6))
def test_neighbours_are_those_of_an_exhaustive_search(seed, metric, k):
    rng = np.random.default_rng(seed)
    vectors, patients = rng.normal(size=(15, 3)), rng.integers(0, 5, 15).astype(str)
    rows = nearest_of_others(vectors, patients, k=k, metric=metric)
    order = nearest(vectors, vectors, k=15, metric=metric)[1]
    for image in range(15):
        expected = [row for row in order[image] if patients[row] != patients[image]][:k]
        assert [row for row in rows[image] if row >= 0] == expected


def test_purity_by_hand():
    neighbors = np.array([[1, 2], [2, -1], [-1, -1]])
    np.testing.assert_array_equal(purity([0, 1, 1], neighbors), [0.0, 1.0, np.nan])
    np.testing.assert_array_equal(purity([0, 0, 1], neighbors), [0.5, 0.0, np.nan])


def test_silhouette_by_hand():
    # image 0: a = 1 (to image 1), b = mean(10, 12) = 11, s = 10/11
    found = silhouette([[0.0], [1], [10], [12]], np.array([0, 0, 1, 1]), metric="euclidean")
    np.testing.assert_allclose(found, [10 / 11, 9 / 10, 7.5 / 9.5, 9.5 / 11.5])


def test_silhouette_needs_two_classes():
    assert np.isnan(silhouette(LINE, np.zeros(4, int))).all()


def test_report_of_separated_classes(make_embeddings):
    y_true = np.arange(40) % 2
    found = make_embeddings(np.column_stack([y_true * 9.0 + 1, np.linspace(0, 1, 40)]), y_true)
    report = structure_report(found, k=5, metric="euclidean", n_boot=100)
    assert report["chance_purity"] == 0.5 and report["notes"] == []
    assert [group["name"] for group in report["groups"]] == ["all", "class NORMAL", "class PNEUMONIA", "split train"]
    for group in report["groups"]:
        assert group["purity"] == {"value": 1.0, "ci95": [1.0, 1.0]} and group["silhouette"]["value"] > 0.9


def test_purity_of_labels_without_meaning_is_that_of_chance(make_embeddings):
    rng = np.random.default_rng(3)
    y_true = (rng.random(600) < 0.3).astype(int)
    report = structure_report(make_embeddings(rng.normal(size=(600, 4)), y_true), n_boot=200)
    low, high = report["groups"][0]["purity"]["ci95"]
    assert low < report["chance_purity"] < high
    assert abs(report["groups"][0]["silhouette"]["value"]) < 0.02


def test_intervals_follow_patients_not_images(make_embeddings):
    """Ten copies of each patient's image add nothing: the interval stays as wide, by images it would shrink."""
    rng = np.random.default_rng(0)
    y_true, vectors = np.arange(40) % 2, rng.normal(size=(40, 3))
    once = structure_report(make_embeddings(vectors, y_true), k=3, n_boot=400)
    often = make_embeddings(np.repeat(vectors, 10, axis=0), np.repeat(y_true, 10), patients=np.repeat(range(40), 10))
    many = structure_report(often, k=30, n_boot=400)
    widths = [np.ptp(report["groups"][0]["purity"]["ci95"]) for report in (once, many)]
    assert many["groups"][0]["purity"]["value"] == pytest.approx(once["groups"][0]["purity"]["value"])
    assert widths[1] == pytest.approx(widths[0], rel=0.1)


def test_tiny_sets_have_no_intervals_and_say_so(make_embeddings):
    report = structure_report(make_embeddings([[0.0], [1], [2]], [0, 1, 0]), k=1)
    assert report["groups"][0]["purity"]["ci95"] is None and "No intervals" in report["notes"][0]
