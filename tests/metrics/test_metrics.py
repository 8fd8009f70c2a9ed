"""Figures of merit against hand-computed values and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, balanced_accuracy_score, f1_score, matthews_corrcoef, roc_auc_score

from medxray.metrics import metrics

ONE = np.ones((1, 4))


def areas(y, score, weights=None):
    weights = np.ones((1, len(y))) if weights is None else np.atleast_2d(np.asarray(weights, dtype=np.float64))
    auroc, precision = metrics.Ranking(np.asarray(y) == 1, score).areas(weights)
    return auroc[0], precision[0]


def test_auroc_counts_ties_as_half_a_win():
    # pairs: 0.8>0.6, 0.8>0.4, 0.4<0.6, 0.4=0.4 -> 1 + 1 + 0 + 1/2 of 4
    assert areas([1, 1, 0, 0], [0.8, 0.4, 0.6, 0.4])[0] == 2.5 / 4


def test_average_precision_by_hand():
    # recall rises to 1/2 at precision 1/1, then (with the tie) to 1 at precision 2/4
    assert areas([1, 1, 0, 0], [0.8, 0.4, 0.6, 0.4])[1] == pytest.approx(0.5 * 1 + 0.5 * 0.5)


def test_a_constant_score_has_auroc_one_half_and_the_prevalence_as_average_precision():
    assert areas([1, 0, 0, 0], [0.3] * 4) == (0.5, 0.25)


def test_perfect_and_inverted_scores_have_auroc_one_and_zero():
    assert areas([0, 0, 1], [0.1, 0.2, 0.3])[0] == 1.0
    assert areas([1, 1, 0], [0.1, 0.2, 0.3])[0] == 0.0


def test_areas_are_nan_without_images_of_a_kind():
    assert np.isnan(areas([1, 1], [0.1, 0.2])).all()
    assert np.isnan(areas([], [])).all()
    assert np.isnan(areas([1, 0], [0.1, 0.2], [[0, 3]])).all()


@settings(max_examples=150, deadline=None)
@given(data=st.data(), n=st.integers(2, 25))
def test_weighted_areas_equal_scikit_learn_on_repeated_images(data, n):
    y = np.array([0, 1, *data.draw(st.lists(st.integers(0, 1), min_size=n - 2, max_size=n - 2))])
    score = np.array(data.draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))) / 6
    weights = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)))
    weights[:2] += 1
    many_y, many_score = np.repeat(y, weights), np.repeat(score, weights)
    auroc, precision = areas(y, score, weights)
    assert auroc == pytest.approx(roc_auc_score(many_y, many_score), abs=1e-12)
    assert auroc == pytest.approx(roc_auc_score(y, score, sample_weight=weights), abs=1e-9)
    assert precision == pytest.approx(average_precision_score(many_y, many_score), abs=1e-12)


@settings(deadline=None)
@given(score=st.lists(st.floats(0.001, 0.999), min_size=4, max_size=30), seed=st.integers(0, 99))
def test_auroc_does_not_change_under_a_monotone_map(score, seed):
    y = np.append([0, 1], np.random.default_rng(seed).integers(0, 2, len(score) - 2))
    order = np.unique(score, return_inverse=True)[1]
    assert areas(y, score)[0] == areas(y, order**3)[0]


def test_many_weightings_at_once_equal_each_alone():
    rng = np.random.default_rng(3)
    y, score, weights = rng.integers(0, 2, 40), rng.normal(size=40).round(1), rng.integers(0, 3, (7, 40)).astype(float)
    together = metrics.Ranking(y == 1, score).areas(weights)
    for row in range(7):
        assert (together[0][row], together[1][row]) == pytest.approx(areas(y, score, weights[row]))


def test_confusion_has_true_classes_in_rows():
    matrix = metrics.confusion([0, 0, 1, 1], [0, 1, 1, 1], 2, weights=np.array([[1.0, 2.0, 3.0, 4.0]]))
    np.testing.assert_array_equal(matrix[0], [[1, 2], [0, 7]])


HAND = np.array([[6, 2], [1, 3]])  # tn 6, fp 2, fn 1, tp 3


def test_class_metrics_by_hand():
    found = {name: value[1] for name, value in metrics.class_metrics(HAND).items()}
    assert found == pytest.approx(
        {"sensitivity": 3 / 4, "specificity": 6 / 8, "precision": 3 / 5, "npv": 6 / 7, "f1": 6 / 9}
    )
    assert metrics.accuracy(HAND) == pytest.approx(9 / 12)
    assert metrics.balanced_accuracy(HAND) == pytest.approx(0.75)
    assert metrics.mcc(HAND) == pytest.approx((3 * 6 - 2 * 1) / np.sqrt(5 * 4 * 8 * 7))


def test_sensitivity_of_one_class_is_the_specificity_of_the_other():
    found = metrics.class_metrics(HAND)
    np.testing.assert_array_equal(found["sensitivity"], found["specificity"][::-1])
    np.testing.assert_array_equal(found["precision"], found["npv"][::-1])


def test_what_divides_by_nothing_is_nan():
    all_negative = np.array([[5, 0], [0, 0]])
    found = {name: value[1] for name, value in metrics.class_metrics(all_negative).items()}
    assert np.isnan([found["sensitivity"], found["precision"], found["f1"]]).all()
    assert (found["specificity"], found["npv"]) == (1.0, 1.0)
    assert np.isnan(metrics.mcc(all_negative)) and np.isnan(metrics.balanced_accuracy(all_negative))
    assert np.isnan(metrics.accuracy(np.zeros((2, 2))))


@pytest.mark.parametrize("k", [2, 3, 5])
def test_label_metrics_equal_scikit_learn(k):
    rng = np.random.default_rng(k)
    y, predicted = rng.integers(0, k, 200), rng.integers(0, k, 200)
    matrix = metrics.confusion(y, predicted, k, weights=np.ones((1, 200)))
    assert metrics.mcc(matrix)[0] == pytest.approx(matthews_corrcoef(y, predicted))
    assert metrics.balanced_accuracy(matrix)[0] == pytest.approx(balanced_accuracy_score(y, predicted))
    assert metrics.class_metrics(matrix)["f1"][0].mean() == pytest.approx(f1_score(y, predicted, average="macro"))


def test_mcc_of_perfect_labels_is_exactly_one():
    assert metrics.mcc(np.diag([17, 4000])) == 1.0
    assert metrics.mcc(np.array([[0, 30], [30, 0]])) == -1.0


def test_predictive_values_by_hand():
    # of 1000 people 100 are sick: 90 found, 10 missed; of 900 healthy 180 are called sick
    ppv, npv = metrics.ppv_npv(0.9, 0.8, 0.1)
    assert ppv == pytest.approx(90 / 270) and npv == pytest.approx(720 / 730)


@settings(deadline=None)
@given(matrix=st.lists(st.integers(1, 50), min_size=4, max_size=4))
def test_predictive_values_at_the_own_prevalence_are_precision_and_npv(matrix):
    matrix = np.array(matrix).reshape(2, 2)
    found = metrics.class_metrics(matrix)
    ppv, npv = metrics.ppv_npv(found["sensitivity"][1], found["specificity"][1], matrix[1].sum() / matrix.sum())
    assert ppv == pytest.approx(found["precision"][1]) and npv == pytest.approx(found["npv"][1])
