"""Prevalence: weights, the log prior ratio, and EM without labels."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from medxray.metrics.prior_shift import em_prevalence, log_prior_ratio, prevalence_estimate, weights_to


def normals(count, share, seed=0):
    """Two normals at -1 and 1, `share` of them positive: labels and exact probabilities at a prevalence of a half."""
    rng = np.random.default_rng(seed)
    y_true = (rng.random(count) < share).astype(int)
    p = expit(2 * rng.normal(2.0 * y_true - 1))
    return y_true, np.stack([1 - p, p], axis=1)


def test_weights_give_the_classes_their_shares_and_have_mean_one():
    weights = weights_to(np.array([0, 0, 0, 1]), (0.4, 0.6))
    np.testing.assert_allclose(weights, [0.4 / 0.75] * 3 + [0.6 / 0.25])
    assert weights.mean() == pytest.approx(1)


def test_the_log_prior_ratio_of_two_classes_is_the_difference_of_their_log_odds():
    found = log_prior_ratio((0.7, 0.3), (0.2, 0.8))
    np.testing.assert_allclose(found, [0.0, logit(0.3) - logit(0.8)])
    three = log_prior_ratio((0.5, 0.3, 0.2), (0.2, 0.2, 0.6))
    np.testing.assert_allclose(three, [0.0, np.log(0.3 / 0.2) - np.log(2.5), np.log(0.2 / 0.6) - np.log(2.5)])


def test_one_step_of_em_by_hand_ends_where_images_are_certain():
    certain = np.eye(2)[[0, 1, 1, 1]]
    np.testing.assert_allclose(em_prevalence(certain, (0.5, 0.5)), [[0.25, 0.75]])
    np.testing.assert_allclose(em_prevalence(certain, (0.9, 0.1), np.array([[3.0, 1, 1, 1]])), [[0.5, 0.5]])


@pytest.mark.parametrize("share", [0.03, 0.3, 0.9])
def test_em_finds_the_prevalence_of_simulated_scores(share):
    y_true, probabilities = normals(20000, share)
    found = em_prevalence(probabilities, (0.5, 0.5))[0]
    assert found[1] == pytest.approx(share, abs=0.015) and found.sum() == pytest.approx(1)
    assert abs(probabilities[:, 1].mean() - share) > 2 * abs(found[1] - share)  # the plain mean is far off


def test_em_is_the_maximum_of_the_likelihood():
    _, probabilities = normals(300, 0.2, seed=4)
    prior = np.array([0.4, 0.6])

    def loss(share):
        return -np.log((probabilities / prior) @ [1 - share, share]).sum()

    best = minimize_scalar(loss, bounds=(1e-9, 1 - 1e-9), method="bounded", options={"xatol": 1e-9}).x
    assert em_prevalence(probabilities, prior)[0, 1] == pytest.approx(best, abs=1e-4)


def test_em_of_probabilities_whose_prevalence_is_the_prior_stays_there():
    y_true, probabilities = normals(200, 0.5)
    prior = probabilities.mean(axis=0)
    np.testing.assert_allclose(em_prevalence(probabilities, prior)[0], prior, atol=1e-6)


def test_em_of_three_classes():
    rng = np.random.default_rng(1)
    shares = np.array([0.6, 0.1, 0.3])
    y_true = rng.choice(3, 15000, p=shares)
    scores = 2.0 * (rng.normal(size=(15000, 3)) + 2.0 * np.eye(3)[y_true])  # exact log-odds at equal shares
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(em_prevalence(probabilities, np.full(3, 1 / 3))[0], shares, atol=0.02)


def test_the_interval_is_by_patient_and_holds_the_truth():
    y_true, probabilities = normals(400, 0.3, seed=2)
    alone, wide = (
        prevalence_estimate(probabilities, (0.5, 0.5), patients, n_boot=300)[1][1]
        for patients in (np.arange(400).astype(str), np.sort(np.arange(400) % 40).astype(str))
    )
    found = em_prevalence(probabilities, (0.5, 0.5))[0, 1]
    assert alone[0] < 0.3 < alone[1] and alone[0] < found < alone[1]
    doubled = np.repeat(probabilities, 2, axis=0)
    patients = np.repeat(np.arange(400), 2).astype(str)
    again = prevalence_estimate(doubled, (0.5, 0.5), patients, n_boot=300)[1][1]
    assert np.ptp(again) == pytest.approx(np.ptp(alone), rel=0.15)  # a second image of each adds nothing
    assert wide[0] < found < wide[1]
