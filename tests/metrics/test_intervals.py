"""Wilson intervals and the way estimates are written down."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medxray.metrics.intervals import equals_probability, estimate, estimate_text, wilson, wilson_by_patient


def test_wilson_interval_by_hand():
    # p = 0.8, n = 10, z = 1.959964: centre (0.8 + 0.19207) / 1.38415, half width 0.31354 / 1.38415
    low, high = wilson(8, 10)
    assert (low, high) == pytest.approx((0.490162, 0.943318), abs=1e-6)


def test_wilson_interval_of_none_and_all():
    assert tuple(wilson(0, 10)) == pytest.approx((0.0, 0.277533), abs=1e-6)
    assert tuple(wilson(10, 10)) == pytest.approx((0.722467, 1.0), abs=1e-6)
    assert wilson(0, 10)[0] == 0.0 and wilson(10, 10)[1] == 1.0


@settings(deadline=None)
@given(total=st.integers(1, 5000), share=st.floats(0, 1))
def test_wilson_interval_holds_the_share_and_stays_in_the_unit_interval(total, share):
    successes = round(share * total)
    low, high = wilson(successes, total)
    assert 0 <= low <= successes / total <= high <= 1
    mirrored = wilson(total - successes, total)
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-12)


def test_wilson_takes_arrays_and_gives_nan_without_trials():
    low, high = wilson(np.array([0, 8]), np.array([0, 10]))
    assert np.isnan(low[0]) and np.isnan(high[0])
    assert low[1] == wilson(8, 10)[0]


def test_wilson_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    low, high = wilson(rng.binomial(60, 0.85, 20000), 60)
    assert 0.93 < np.mean((low <= 0.85) & (0.85 <= high)) < 0.97


def test_estimates_that_are_undefined_become_null():
    assert estimate(np.nan, (0.1, 0.2)) == {"value": None, "ci95": None}
    assert estimate(0.5) == {"value": 0.5, "ci95": None}
    assert estimate(0.5, (np.nan, 0.6)) == {"value": 0.5, "ci95": None}
    assert estimate(np.float64(0.5), (0.4, 0.6)) == {"value": 0.5, "ci95": [0.4, 0.6]}


def test_estimates_are_written_with_their_interval_where_there_is_one():
    figure = {"value": 0.97149, "ci95": [0.9581, 0.98149]}
    assert estimate_text(figure) == "0.971 [0.958, 0.981]" and estimate_text(figure, digits=2) == "0.97 [0.96, 0.98]"
    assert estimate_text({"value": 0.5, "ci95": None}) == "0.500"
    assert estimate_text({"value": -0.0001, "ci95": [-0.2, 0.0004]}) == "0.000 [-0.200, 0.000]"


def test_an_undefined_estimate_is_written_as_its_place_wants_it():
    nothing = {"value": None, "ci95": None}
    assert estimate_text(nothing) == "not defined" and estimate_text(nothing, undefined="null") == "null"


def test_by_patient_a_share_with_one_image_each_has_the_interval_of_wilson():
    success = np.repeat([True, False], [17, 3])
    low, high = wilson_by_patient(success, np.ones(20, bool), np.arange(20))
    assert (low, high) == pytest.approx(wilson(17 * 19 / 20, 19), abs=1e-6)  # n - 1 of n stand for the variance


def test_by_patient_repeated_images_count_once():
    success = np.repeat([True, False], [17, 3])
    once = wilson_by_patient(success, np.ones(20, bool), np.arange(20))
    thrice = wilson_by_patient(np.repeat(success, 3), np.ones(60, bool), np.repeat(np.arange(20), 3))
    assert thrice == pytest.approx(once)


@pytest.mark.parametrize("right", [True, False])
def test_by_patient_shares_of_0_and_1_have_the_width_that_the_patients_leave(right):
    found = wilson_by_patient(np.full(40, right), np.ones(40, bool), np.repeat(np.arange(10), 4))
    assert found == pytest.approx(wilson(10 * right, 10)) and found[1] - found[0] > 0.2


def test_by_patient_only_counted_images_count():
    counted = np.array([True, True, False, False])
    assert wilson_by_patient([True, True, False, False], counted, list("aabb")) == pytest.approx(wilson(1, 1))
    assert np.isnan(wilson_by_patient([], [], [])).all()


def test_probabilities_never_claim_certainty():
    assert equals_probability(0.3472) == "= 0.347"
    assert equals_probability(0.0) == equals_probability(0.00099) == "< 0.001"
    assert equals_probability(1.0) == equals_probability(0.9991) == "> 0.999"
    assert equals_probability(0.999) == "= 0.999"
