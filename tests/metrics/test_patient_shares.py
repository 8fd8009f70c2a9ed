"""Shares and means in which each patient counts once."""

import numpy as np
import pytest

from medxray.metrics.intervals import wilson
from medxray.metrics.patient_shares import patient_mean, patient_share


def test_a_share_gives_each_patient_the_same_weight():
    # a: 1 of 4, b: 1 of 1, c: 0 of 1 -> (0.25 + 1 + 0) / 3
    success, patients = [True, False, False, False, True, False], list("aaaabc")
    found = patient_share(success, [True] * 6, patients)
    assert found["value"] == pytest.approx(1.25 / 3)
    # among images that are counted: a 0.25 of 0.5, c 0 of 1
    counted = [True, True, False, False, False, True]
    assert patient_share(success, counted, patients)["value"] == pytest.approx(0.25 / 1.5)


def test_the_interval_is_that_of_as_many_patients():
    success = np.arange(50) < 45
    found = patient_share(success, np.ones(50, bool), np.arange(50))
    np.testing.assert_allclose(found["ci95"], wilson(45, 50), atol=0.003)  # n - 1 instead of n in the variance
    copied = patient_share(np.repeat(success, 3), np.ones(150, bool), np.repeat(np.arange(50), 3))
    np.testing.assert_allclose([copied["value"], *copied["ci95"]], [found["value"], *found["ci95"]])


def test_where_all_agree_the_interval_is_that_of_the_number_of_patients():
    found = patient_share([True] * 20, [True] * 20, list("abcde") * 4)
    assert found["value"] == 1.0 and found["ci95"] == pytest.approx(list(wilson(5, 5)))
    assert patient_share([True], [False], ["a"]) == {"value": None, "ci95": None}
    assert patient_share([], [], []) == {"value": None, "ci95": None}


def test_a_mean_is_over_patients_with_a_t_interval():
    found = patient_mean([1.0, 3.0, 4.0], ["a", "a", "b"])  # means 2 and 4, deviation sqrt(2), t of one degree 12.706
    assert found["value"] == 3.0 and found["ci95"] == [1.0, 4.0]  # inside of what occurs
    means = np.random.default_rng(0).normal(size=40)
    found = patient_mean(means, np.arange(40))
    half = 2.0227 * means.std(ddof=1) / np.sqrt(40)
    np.testing.assert_allclose(found["ci95"], [means.mean() - half, means.mean() + half], atol=1e-4)
    assert patient_mean([2.0, 2.0], ["a", "b"]) == {"value": 2.0, "ci95": None}
    assert patient_mean([], []) == {"value": None, "ci95": None}
