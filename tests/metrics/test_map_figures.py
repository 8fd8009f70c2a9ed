"""Figures of heatmaps, done by hand."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity as reference_similarity

from medxray.metrics.faithfulness import area_under, brightest, brightest_first
from medxray.metrics.localisation import dilated, energy_inside, hits, overlap
from medxray.metrics.map_concentration import UNIFORM_BORDER_SHARE, border_share, gini
from medxray.metrics.map_similarity import rank_correlation, structural_similarity
from medxray.metrics.patient_means import mean_by_patient


def random(seed=0):
    return np.random.default_rng(seed)


def test_rank_correlation_by_hand_with_ties():
    """Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: covariance 4.5, squares 4.5 and 5."""
    found = rank_correlation(np.array([[0, 1], [1, 5]]), np.array([[1, 2], [3, 9]]))
    assert found == pytest.approx(4.5 / np.sqrt(4.5 * 5))
    assert rank_correlation(np.array([[1, 2], [3, 4]]), np.array([[4, 3], [2, 1]])) == pytest.approx(-1)


@pytest.mark.parametrize("flat", [np.full((12, 12), 0.3), np.full((12, 12), np.nan)])
def test_a_map_without_contrast_is_like_no_other(flat):
    other = random().random((12, 12))
    assert rank_correlation(flat, other) == rank_correlation(other, flat) == 0
    assert structural_similarity(flat, flat) == structural_similarity(other, flat) == 0


def test_structural_similarity_is_that_of_scikit_image():
    first, second = random().random((2, 30, 25))
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    for other in (first, second, 0.7 * first + 0.3 * second):
        expected = reference_similarity(first, other, **settings)
        assert structural_similarity(first, other) == pytest.approx(expected, abs=1e-9)
    assert np.isfinite(structural_similarity(first[:6, :6], second[:6, :6]))


def test_gini_by_hand():
    """One of four pixels has all the heat: 1 - 2 * (1 * 0.5 / 4) = 0.75."""
    assert gini(np.array([[0, 0], [0, 5]])) == pytest.approx(0.75)
    assert gini(np.array([[1, 3]])) == pytest.approx(0.25)
    assert gini(np.full((3, 3), 2.0)) == pytest.approx(0)
    assert gini(np.zeros((3, 3))) == 0


def test_border_share_by_hand():
    heat = np.zeros((10, 20))
    heat[0, 0], heat[5, 10], heat[5, 18] = 1, 2, 1  # the border is one row and two columns wide
    assert border_share(heat) == pytest.approx(0.5)
    assert border_share(np.ones((100, 50))) == pytest.approx(UNIFORM_BORDER_SHARE) == pytest.approx(0.36)
    assert np.isnan(border_share(np.zeros((10, 10))))


def test_brightest_pixels_come_first_and_ties_in_an_order_of_the_seed():
    order = brightest_first(np.array([[0.1, 0.9], [0.9, 0.2]]), random())
    assert set(order[:2]) == {1, 2} and order[2:].tolist() == [3, 0]
    orders = {tuple(brightest_first(np.zeros((4, 4)), random(seed))) for seed in (0, 0, 1)}
    assert len(orders) == 2 and all(sorted(one) == list(range(16)) for one in orders)
    ties = np.arange(16.0).reshape(4, 4)
    assert brightest_first(np.zeros((4, 4)), random(), ties=ties).tolist() == list(range(15, -1, -1))
    assert brightest_first(-ties, random(), ties=ties).tolist() == list(range(16))
    chosen = brightest(order, 0.75, (2, 2))
    assert chosen.tolist() == [[False, True], [True, True]]
    assert brightest(order, 0, (2, 2)).sum() == 0 and brightest(order, 1, (2, 2)).all()


def test_area_by_hand():
    """Trapezoids 0.2 * 0.75 and 0.3 * 0.25 over a width of 0.5."""
    assert area_under([0, 0.2, 0.5], [1.0, 0.5, 0.0]) == pytest.approx((0.15 + 0.075) / 0.5)
    np.testing.assert_allclose(area_under([0, 1], [[0.2, 0.4], [1, 1]]), [0.3, 1])


def test_a_hit_may_miss_the_region_by_the_margin_and_no_more():
    region = np.zeros((5, 6), bool)
    region[2, 2] = True
    wide = dilated(region, (0, 2))
    assert np.argwhere(wide).tolist() == [[2, 0], [2, 1], [2, 2], [2, 3], [2, 4]]
    heat = np.zeros((5, 6))
    heat[2, 4] = 1
    order = brightest_first(heat, random())
    assert hits(order, wide) and not hits(order, dilated(region, (2, 1)))


def test_overlap_and_energy_by_hand():
    """Three brightest pixels, two of them in a region of three: 2 / 4. Heat 5 of 10 inside."""
    heat = np.array([[4.0, 3.0, 2.0], [1.0, 0.0, 0.0]])
    region = np.array([[1, 0, 0], [1, 0, 0]], bool) | np.array([[0, 0, 0], [0, 0, 1]], bool)
    order = brightest_first(heat, random())
    assert overlap(order, np.array([[1, 1, 0], [1, 0, 0]], bool)) == pytest.approx(2 / 4)
    assert overlap(order, np.array([[1, 1, 1], [0, 0, 0]], bool)) == 1
    assert energy_inside(heat, region) == pytest.approx(0.5)
    assert energy_inside(np.zeros((2, 3)), region) == 0


def test_the_mean_has_an_interval_by_patient_and_leaves_out_what_is_not_known():
    values = np.array([0.0, 1.0] * 10 + [np.nan])
    patients, labels = np.arange(21).astype(str), np.array([0, 1] * 10 + [0])
    found = mean_by_patient(values, patients, labels)
    assert found["value"] == 0.5 and found["ci95"] == [0.5, 0.5]  # classes keep their size in every resample
    doubled = mean_by_patient(np.arange(20.0), np.repeat(np.arange(10), 2).astype(str), np.zeros(20, int))
    single = mean_by_patient(np.arange(20.0), np.arange(20).astype(str), np.zeros(20, int))
    assert np.ptp(doubled["ci95"]) > np.ptp(single["ci95"])
    assert mean_by_patient(values[:4], patients[:4], labels[:4]) == {"value": 0.5, "ci95": None}
    assert mean_by_patient([np.nan], ["a"], [0]) == {"value": None, "ci95": None}
