"""Brier score, NLL, calibration error and reliability."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from medxray.metrics import reliability as rel


def test_brier_and_nll_by_hand():
    two, y_true = np.array([[0.2, 0.8], [0.9, 0.1]]), np.array([1, 1])
    np.testing.assert_allclose(rel.brier_terms(two, y_true), [0.04, 0.81])
    np.testing.assert_allclose(rel.nll_terms(np.log(two), y_true), [-np.log(0.8), -np.log(0.1)])
    three = np.array([[0.5, 0.3, 0.2]])
    np.testing.assert_allclose(rel.brier_terms(three, np.array([1])), [0.25 + 0.49 + 0.04])


def test_ece_by_hand():
    # two bins: mean 0.2 with 1 of 4 events, mean 0.9 with 2 of 4
    confidence = [0.1, 0.1, 0.3, 0.3, 0.85, 0.85, 0.95, 0.95]
    outcome = [0, 0, 0, 1, 1, 0, 1, 0]
    assert rel.ece(confidence, outcome, bins=2) == pytest.approx(0.5 * 0.05 + 0.5 * 0.4)


def test_ece_of_a_calibrated_model_is_small_and_of_an_overconfident_one_is_not(drawn_labels):
    logits = np.random.default_rng(1).normal(scale=2, size=(20000, 2))
    outcome = drawn_labels(logits) == 1
    assert rel.ece(softmax(logits, axis=1)[:, 1], outcome) < 0.012
    assert rel.ece(softmax(4 * logits, axis=1)[:, 1], outcome) > 0.1


@settings(max_examples=60, deadline=None)
@given(data=st.data(), n=st.integers(1, 120))
def test_reliability_ignores_order_keeps_every_image_and_equal_values_together(data, n):
    confidence = np.array(data.draw(st.lists(st.integers(0, 20), min_size=n, max_size=n))) / 20
    outcome = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    table = rel.reliability(confidence, outcome)
    shuffled = np.random.default_rng(0).permutation(n)
    again = rel.reliability(confidence[shuffled], outcome[shuffled])
    np.testing.assert_allclose(table.observed, again.observed)
    assert table.count.sum() == n and len(table.count) <= rel.BINS
    assert (table.high[:-1] < table.low[1:]).all()
    assert (table.observed * table.count).sum() == pytest.approx(outcome.sum())
    assert 0 <= rel.ece(confidence, outcome) <= 1


def test_bins_hold_equal_numbers_of_different_values():
    table = rel.reliability(np.random.default_rng(0).random(1500) ** 3, np.zeros(1500, bool))
    assert table.count.tolist() == [100] * 15


def test_ece_of_no_images_is_nan():
    assert np.isnan(rel.ece(np.array([]), np.array([])))


def test_confidence_is_of_the_positive_class_or_of_the_most_probable_one():
    confidence, outcome = rel.confidence_and_outcome(np.array([[0.7, 0.3]]), np.array([1]))
    assert (confidence[0], outcome[0]) == (0.3, True)
    confidence, outcome = rel.confidence_and_outcome(np.array([[0.2, 0.5, 0.3]]), np.array([2]))
    assert (confidence[0], outcome[0]) == (0.5, False)
