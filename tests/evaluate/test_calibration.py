"""Temperature, calibration errors and reliability."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from medxray.evaluate import calibration as cal


def drawn_labels(logits, seed=0):
    """Labels drawn from the probabilities that the logits state: the logits are then calibrated."""
    rng = np.random.default_rng(seed)
    cumulative = softmax(logits, axis=1).cumsum(axis=1)
    return (rng.random((len(logits), 1)) > cumulative[:, :-1]).sum(axis=1)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 3.0])
def test_temperature_undoes_a_known_scaling(k, true_temperature):
    logits = np.random.default_rng(k).normal(scale=2, size=(20000, k))
    found = cal.fit_temperature(logits * true_temperature, drawn_labels(logits))
    assert found == pytest.approx(true_temperature, rel=0.05)


def test_temperature_by_hand():
    # three of four images with margin 2 are right: the best sigmoid(2 / T) is 3/4, so T = 2 / ln 3
    logits = np.array([[0.0, 2.0]] * 4)
    assert cal.fit_temperature(logits, [1, 1, 1, 0]) == pytest.approx(2 / np.log(3), rel=1e-5)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), scale=st.floats(0.01, 50))
def test_temperature_is_in_range_and_never_raises_the_loss(seed, n, scale):
    rng = np.random.default_rng(seed)
    logits, y_true = rng.normal(scale=scale, size=(n, 2)), rng.integers(0, 2, n)
    found = cal.fit_temperature(logits, y_true)
    assert cal.MIN_TEMPERATURE <= found <= cal.MAX_TEMPERATURE
    before, after = (cal.nll(log_softmax(logits / value, axis=1), y_true) for value in (1.0, found))
    assert after <= before + 1e-12


def test_separated_images_keep_temperature_one_and_say_so():
    logits, y_true = np.array([[3.0, 0.0], [0.0, 0.1]]), np.array([0, 1])
    assert cal.is_separated(logits, y_true) and cal.fit_temperature(logits, y_true) == 1.0
    assert "no temperature can be fitted" in cal.temperature_message(1.0, separated=True)
    assert not cal.is_separated(np.array([[1.0, 1.0]]), np.array([0]))


def test_a_model_worse_than_chance_ends_at_the_bound_with_a_message():
    logits = np.array([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0]])
    found = cal.fit_temperature(logits, [1, 0, 0])
    assert found == pytest.approx(cal.MAX_TEMPERATURE)
    assert "at the end of its range (0.1 to 10)" in cal.temperature_message(found, separated=False)
    assert cal.temperature_message(1.7, separated=False) is None


def test_temperature_refuses_nothing_and_infinities():
    with pytest.raises(ValueError, match="one or more rows of finite logits"):
        cal.fit_temperature(np.zeros((0, 2)), [])
    with pytest.raises(ValueError, match="finite logits"):
        cal.fit_temperature([[np.inf, 0.0]], [0])


def test_brier_and_nll_by_hand():
    two, y_true = np.array([[0.2, 0.8], [0.9, 0.1]]), np.array([1, 1])
    np.testing.assert_allclose(cal.brier_terms(two, y_true), [0.04, 0.81])
    np.testing.assert_allclose(cal.nll_terms(np.log(two), y_true), [-np.log(0.8), -np.log(0.1)])
    three = np.array([[0.5, 0.3, 0.2]])
    np.testing.assert_allclose(cal.brier_terms(three, np.array([1])), [0.25 + 0.49 + 0.04])


def test_ece_by_hand():
    # two bins: mean 0.2 with 1 of 4 events, mean 0.9 with 2 of 4
    confidence = [0.1, 0.1, 0.3, 0.3, 0.85, 0.85, 0.95, 0.95]
    outcome = [0, 0, 0, 1, 1, 0, 1, 0]
    assert cal.ece(confidence, outcome, bins=2) == pytest.approx(0.5 * 0.05 + 0.5 * 0.4)


def test_ece_of_a_calibrated_model_is_small_and_of_an_overconfident_one_is_not():
    logits = np.random.default_rng(1).normal(scale=2, size=(20000, 2))
    outcome = drawn_labels(logits) == 1
    assert cal.ece(softmax(logits, axis=1)[:, 1], outcome) < 0.012
    assert cal.ece(softmax(4 * logits, axis=1)[:, 1], outcome) > 0.1


@settings(max_examples=60, deadline=None)
@given(data=st.data(), n=st.integers(1, 120))
def test_reliability_ignores_order_keeps_every_image_and_equal_values_together(data, n):
    confidence = np.array(data.draw(st.lists(st.integers(0, 20), min_size=n, max_size=n))) / 20
    outcome = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    table = cal.reliability(confidence, outcome)
    shuffled = np.random.default_rng(0).permutation(n)
    again = cal.reliability(confidence[shuffled], outcome[shuffled])
    np.testing.assert_allclose(table.observed, again.observed)
    assert table.count.sum() == n and len(table.count) <= cal.BINS
    assert (table.high[:-1] < table.low[1:]).all()
    assert (table.observed * table.count).sum() == pytest.approx(outcome.sum())
    assert 0 <= cal.ece(confidence, outcome) <= 1


def test_bins_hold_equal_numbers_of_different_values():
    table = cal.reliability(np.random.default_rng(0).random(1500) ** 3, np.zeros(1500, bool))
    assert table.count.tolist() == [100] * 15


def test_ece_of_no_images_is_nan():
    assert np.isnan(cal.ece(np.array([]), np.array([])))


def test_confidence_is_of_the_positive_class_or_of_the_most_probable_one():
    confidence, outcome = cal.confidence_and_outcome(np.array([[0.7, 0.3]]), np.array([1]))
    assert (confidence[0], outcome[0]) == (0.3, True)
    confidence, outcome = cal.confidence_and_outcome(np.array([[0.2, 0.5, 0.3]]), np.array([2]))
    assert (confidence[0], outcome[0]) == (0.5, False)
