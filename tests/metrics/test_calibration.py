"""Bias-corrected temperature scaling: what it undoes, where it ends, what it says."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from medxray.metrics import calibration as cal
from medxray.metrics.calibration import Calibration, fit_calibration, is_separated


def nll(calibration, logits, y_true):
    return -calibration.log_probabilities(logits)[np.arange(len(logits)), y_true].mean()


def test_identity_is_the_softmax_for_any_number_of_classes():
    logits = np.random.default_rng(0).normal(size=(5, 4))
    np.testing.assert_array_equal(Calibration().probabilities(logits), softmax(logits, axis=1))
    assert Calibration().is_identity and Calibration(1.0, (0.0, 0.0)).is_identity
    assert not Calibration(1.1).is_identity and not Calibration(1.0, (0.0, 0.1)).is_identity
    assert Calibration().biases(3) == (0.0, 0.0, 0.0) and Calibration(1.0, (0.0, 2.0)).biases(2) == (0.0, 2.0)


def test_probabilities_are_called_calibrated_only_where_they_are():
    assert Calibration().probability_of("PNEUMONIA") == "probability of PNEUMONIA (not calibrated)"
    assert Calibration(1.1).probability_of("PNEUMONIA") == "calibrated probability of PNEUMONIA"


def test_probabilities_by_hand():
    # 2 ln 3 / 2 + ln 2 = ln 6 against ln 1
    found = Calibration(2.0, (0.0, np.log(2))).probabilities([[0.0, 2 * np.log(3)]])
    np.testing.assert_allclose(found, [[1 / 7, 6 / 7]])
    np.testing.assert_allclose(Calibration(1.0, (0.0, -5.0)).log_probabilities([[2000.0, 0.0]]), [[0.0, -2005.0]])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("bias", [(0.0, 1.5), (0.0, -2.0, 1.0)])
def test_fit_undoes_a_known_scale_and_shift(drawn_labels, temperature, bias):
    true = np.random.default_rng(len(bias)).normal(scale=2, size=(20000, len(bias)))
    found = fit_calibration((true - bias) * temperature, drawn_labels(true))
    assert found.temperature == pytest.approx(temperature, rel=0.05)
    assert found.bias == pytest.approx(bias, abs=0.1) and found.bias[0] == 0.0


def test_fit_undoes_the_shift_of_balanced_class_weights():
    # Bayes' rule: with equal priors the log odds are 2 x for normals at -1 and 1; 4 of 5 images are positive
    rng = np.random.default_rng(0)
    y_true = (rng.random(20000) < 0.8).astype(int)
    evidence = rng.normal(2.0 * y_true - 1)
    found = fit_calibration(np.stack([-evidence, evidence], axis=1), y_true)
    assert found.temperature == pytest.approx(1, abs=0.05) and found.bias[1] == pytest.approx(np.log(4), abs=0.1)


def test_fit_by_hand():
    # margin 2: 3 of 4 are positive, margin -1: 1 of 4; the best log odds are ln 3 and -ln 3, so 3 / T = 2 ln 3
    logits, y_true = np.array([[0.0, 2.0]] * 4 + [[1.0, 0.0]] * 4), [1, 1, 1, 0, 1, 0, 0, 0]
    found = fit_calibration(logits, y_true)
    assert found.temperature == pytest.approx(3 / (2 * np.log(3)), rel=1e-6)
    assert found.bias == pytest.approx((0.0, -np.log(3) / 3), rel=1e-6)


@pytest.mark.parametrize(("offset", "scale"), [(0, 1), (0, 5), (5, 1), (-30, 5), (40, 2)])
def test_two_classes_are_an_unpenalised_logistic_regression(offset, scale):
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 2, 600)
    margin = (rng.normal(size=600) + 2 * y_true) * scale + offset
    found = fit_calibration(np.stack([3 - margin, np.full(600, 3.0)], axis=1), y_true)
    expected = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12).fit(margin[:, None], y_true)
    assert 1 / found.temperature == pytest.approx(expected.coef_[0, 0], rel=1e-4)
    assert found.bias[1] == pytest.approx(expected.intercept_[0], rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(4, 60), k=st.integers(2, 4), scale=st.floats(0.01, 50))
def test_fit_is_in_range_and_never_raises_the_loss(seed, n, k, scale):
    rng = np.random.default_rng(seed)
    logits, y_true = rng.normal(scale=scale, size=(n, k)), rng.permutation(np.arange(n) % k)
    assume(not is_separated(logits, y_true))
    found = fit_calibration(logits, y_true)
    assert cal.MIN_TEMPERATURE <= found.temperature <= cal.MAX_TEMPERATURE
    assert max(map(abs, found.bias)) <= cal.MAX_BIAS and found.bias[0] == 0 and len(found.bias) == k
    best = nll(found, logits, y_true)
    assert best <= nll(Calibration(), logits, y_true) + 1e-12
    for other in (0.97, 1.03):  # no better neighbour inside the range
        temperature = np.clip(found.temperature * other, cal.MIN_TEMPERATURE, cal.MAX_TEMPERATURE)
        bias = np.append(0, np.array(found.bias[1:]) * other)
        assert best <= nll(Calibration(temperature, found.bias), logits, y_true) + 1e-9
        assert best <= nll(Calibration(found.temperature, tuple(bias)), logits, y_true) + 1e-9


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), temperature=st.floats(0.1, 10), bias=st.floats(-20, 20))
def test_two_classes_keep_their_ranking(seed, temperature, bias):
    logits = np.random.default_rng(seed).integers(-5, 5, (30, 2)) / 4
    before = Calibration().probabilities(logits)[:, 1]
    after = Calibration(temperature, (0.0, bias)).probabilities(logits)[:, 1]
    rows, columns = np.nonzero(before[:, None] > before + 1e-12)
    assert (after[rows] >= after[columns]).all()


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(4, 12), k=st.integers(2, 4), skill=st.floats(0, 6))
def test_separation_is_found_as_by_linear_programming(seed, n, k, skill):
    rng = np.random.default_rng(seed)
    y_true = rng.permutation(np.arange(n) % k)
    logits = rng.normal(size=(n, k)) + skill * np.eye(k)[y_true] + rng.normal(scale=5, size=k)
    rows, others = np.nonzero(np.arange(k) != y_true[:, None])
    true, gaps = y_true[rows], logits[rows, others] - logits[rows, y_true[rows]]
    differences = np.eye(k)[others] - np.eye(k)[true]  # logits[j] + b[j] - logits[y] - b[y] <= -slack
    goal = linprog(
        np.append(np.zeros(k), -1.0),
        A_ub=np.column_stack([differences, np.ones(len(rows))]),
        b_ub=-gaps,
        bounds=[(None, None)] * k + [(None, 1.0)],
    )
    assert is_separated(logits, y_true) == (goal.x[-1] > 1e-9)


def test_images_that_touch_are_not_separated():
    assert is_separated(np.array([[3.0, 0.0], [0.0, 0.1]]), np.array([0, 1]))
    assert is_separated(np.array([[9.0, 0.0], [8.0, 0.0]]), np.array([0, 1]))  # all called 0, and yet a bias parts them
    assert not is_separated(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1]))
    assert not is_separated(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0, 1]))


def test_separated_images_are_fitted_to_platts_targets_and_say_so():
    # 3 images at margin 10 and 5 at margin 14: the log odds become those of 1/5 and 6/7, that is -ln 4 and ln 6
    logits, y_true = np.array([[0.0, 10.0]] * 3 + [[0.0, 14.0]] * 5), np.repeat([0, 1], [3, 5])
    found = fit_calibration(logits, y_true)
    assert found.probabilities(logits)[[0, -1], 1] == pytest.approx([1 / 5, 6 / 7])
    assert found.temperature == pytest.approx(4 / np.log(24))
    (message,) = cal.calibration_messages(found, separated=True)
    assert "separated without error" in message


def test_scores_far_from_zero_do_not_saturate_when_separated():
    logits = np.stack([np.zeros(120), 60 + 5 * np.arange(120) / 119], axis=1)
    y_true = np.repeat([0, 1], 60)
    assert (softmax(logits, axis=1)[:, 1] == 1.0).all()
    positive = fit_calibration(logits, y_true).probabilities(logits)[:, 1]
    assert len(np.unique(positive)) == 120 and positive[59] < 0.5 < positive[60]


def test_three_separated_classes_have_a_finite_fit():
    y_true = np.arange(90) % 3
    found = fit_calibration(4.0 * np.eye(3)[y_true] + [5.0, 0.0, 0.0], y_true)
    assert found.probabilities([[9.0, 0.0, 0.0]])[0] == pytest.approx([31 / 33, 1 / 33, 1 / 33], rel=1e-4)
    assert found.bias == pytest.approx((0.0, 5 / found.temperature, 5 / found.temperature), rel=1e-4)


def test_a_model_worse_than_chance_ends_at_the_bound_and_is_not_flipped():
    logits, y_true = np.array([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [0.0, 2.0]]), [1, 0, 1, 1]
    found = fit_calibration(logits, y_true)
    assert found.temperature == pytest.approx(cal.MAX_TEMPERATURE)
    positive = found.probabilities(logits)[:, 1]
    assert positive[1] > positive[0] and positive.mean() == pytest.approx(0.75, abs=1e-6)
    (message,) = cal.calibration_messages(found, separated=False)
    assert "The fitted temperature is at the end of its range (0.1 to 10): 10." in message
    assert cal.calibration_messages(Calibration(1.7, (0.0, 3.0)), separated=False) == ()


def test_a_shift_beyond_the_range_ends_at_the_bound_with_a_message():
    rng = np.random.default_rng(0)
    y_true = np.arange(200) % 2
    logits = np.stack([np.zeros(200), rng.normal(size=200) + y_true - 500], axis=1)
    found = fit_calibration(logits, y_true)
    assert found.bias[1] == pytest.approx(cal.MAX_BIAS)
    messages = cal.calibration_messages(found, separated=False)
    assert "The fitted bias is at the end of its range (-100 to 100): 100." in messages[0]


def test_fit_refuses_an_absent_class_and_infinities():
    with pytest.raises(ValueError, match="finite logits and images of all 2 classes, received 0 images"):
        fit_calibration(np.zeros((0, 2)), [])
    with pytest.raises(ValueError, match="images of all 3 classes"):
        fit_calibration(np.zeros((2, 3)), [0, 1])
    with pytest.raises(ValueError, match="finite logits"):
        fit_calibration([[np.inf, 0.0], [0.0, 0.0]], [0, 1])
