"""Weights of models whose log-probabilities are averaged."""

import numpy as np
import pytest
from scipy.special import log_softmax

from medxray.errors import DataError
from medxray.metrics import log_pool
from medxray.metrics.log_pool import cross_fit_weights, fit_weights, pooled_scores


def two_models(n=400, seed=0):
    """Scores of a model that knows something and of one that guesses, patients with two images each."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, n)
    good = np.stack([np.zeros(n), 2 * truth - 1 + random.normal(0, 2, n)], axis=1)
    bad = np.stack([np.zeros(n), random.normal(0, 2, n)], axis=1)
    return np.stack([good, bad], axis=1), truth, np.arange(n) // 2


def nll(scores, truth, weights):
    return -log_softmax(pooled_scores(scores, weights), axis=1)[np.arange(len(truth)), truth].mean()


def test_pooled_scores_by_hand():
    scores = np.array([[[0.0, 2.0], [0.0, -4.0]], [[1.0, 0.0], [3.0, 0.0]]])
    np.testing.assert_allclose(pooled_scores(scores, np.array([0.75, 0.25])), [[0, 0.5], [1.5, 0]])
    np.testing.assert_allclose(pooled_scores(scores, np.array([[1, 0], [0, 1]])), [[0, 2], [3, 0]])


def test_fitted_weights_have_the_lowest_nll_on_a_grid():
    scores, truth, _ = two_models()
    weights = fit_weights(scores, truth)
    assert weights.sum() == pytest.approx(1) and weights.min() >= 0 and 0.5 < weights[0] < 0.99
    grid = [nll(scores, truth, np.array([w, 1 - w])) for w in np.linspace(0, 1, 101)]
    assert nll(scores, truth, weights) <= min(grid) + 1e-9


def test_equal_models_share_the_weight():
    scores, truth, _ = two_models()
    np.testing.assert_allclose(fit_weights(scores[:, [0, 0]], truth), [0.5, 0.5], atol=1e-6)


def test_no_patient_takes_part_in_its_own_weights():
    scores, truth, patients = two_models()
    found = cross_fit_weights(scores, truth, patients, classes=("A", "B"))
    changed = scores.copy()
    changed[0, 0] = [0.0, 30.0 * (1 - 2 * truth[0])]  # patient 0 now speaks loudly against the good model
    again = cross_fit_weights(changed, truth, patients, classes=("A", "B"))
    mine = patients == 0
    np.testing.assert_array_equal(found.of_rows[mine], again.of_rows[mine])
    assert np.abs(found.weights - again.weights).max() > 1e-3
    assert all(np.ptp(found.of_rows[patients == patient], axis=0).max() == 0 for patient in range(200))
    assert found.of_folds.shape == (log_pool.FOLDS, 2)


def test_too_few_images_are_one_line():
    scores, truth, patients = two_models(60)
    with pytest.raises(DataError, match="--weights nll needs 50 validation images and 5 patients of each class"):
        cross_fit_weights(scores, truth, patients, classes=("A", "B"))
