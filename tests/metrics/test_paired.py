"""Two models on the same images, with several images per patient."""

import numpy as np
import pytest

from medxray.metrics.paired import auroc_difference, compare_accuracy, mcnemar, permutation_test, sign_flip_test


def two_models(seed=0, *, patients=60, most=1, better=0.0):
    rng = np.random.default_rng(seed)
    images = rng.integers(1, most + 1, patients)
    patient, truth = np.repeat(np.arange(patients), images), np.repeat(np.arange(patients) % 2 == 1, images)
    shared = rng.normal(size=patients)[patient]
    noise = rng.normal(size=(2, len(truth)))
    scores = shared + noise + truth * np.array([[1.0 + better], [1.0]])
    return truth, scores, patient.astype(str)


def test_with_one_image_per_patient_the_difference_has_the_error_of_delong(delong):
    truth, scores, patient = two_models()
    found = auroc_difference(truth, scores, patient)
    auroc, covariance = delong(truth, scores)
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert found["difference"] == pytest.approx(auroc[0] - auroc[1])
    half = (found["ci95"][1] - found["ci95"][0]) / 2
    assert 1.96 * error < half < 2.1 * error


def test_images_repeated_within_patients_do_not_make_a_difference_surer():
    truth, scores, patient = two_models(better=0.5)
    once = auroc_difference(truth, scores, patient)
    often = auroc_difference(np.repeat(truth, 4), np.repeat(scores, 4, axis=1), np.repeat(patient, 4))
    assert often["p_value"] == pytest.approx(once["p_value"])
    wrongly = auroc_difference(np.repeat(truth, 4), np.repeat(scores, 4, axis=1), np.arange(4 * len(truth)))
    assert wrongly["p_value"] < once["p_value"]


def test_equal_models_have_no_interval_and_a_permutation_p_value_of_one():
    truth, scores, patient = two_models()
    same = np.stack([scores[0], scores[0]])
    assert auroc_difference(truth, same, patient)["p_value"] is None
    assert permutation_test(truth, same, patient, draws=99) == 1.0


def test_the_permutation_test_sees_a_clear_difference_and_ignores_the_scale():
    truth, scores, patient = two_models(better=2.0)
    assert permutation_test(truth, scores, patient, draws=999) < 0.01
    squeezed = np.stack([np.tanh(scores[0]) * 1e-3, np.exp(scores[1])])
    assert permutation_test(truth, squeezed, patient, draws=999) == permutation_test(truth, scores, patient, draws=999)


def test_the_sign_flip_test_by_hand():
    # three patients, each with images that only the first model gets right: 2 of the 8 signs are as extreme
    first, second = np.ones(6, bool), np.zeros(6, bool)
    p_value = sign_flip_test(first, second, list("aabbcc"), draws=20000)
    assert p_value == pytest.approx(0.25, abs=0.01)
    assert sign_flip_test(first, first, list("aabbcc")) == 1.0


def test_mcnemar_by_hand():
    first = np.repeat([1, 1, 0, 0], [50, 10, 2, 8])
    second = np.repeat([1, 0, 1, 0], [50, 10, 2, 8])
    # two-sided binomial: 2 * (1 + 12 + 66) / 2^12
    assert mcnemar(first, second) == {"only_first": 10, "only_second": 2, "p_value": pytest.approx(2 * 79 / 4096)}
    assert mcnemar(first, first) == {"only_first": 0, "only_second": 0, "p_value": 1.0}
    assert mcnemar(second, first)["p_value"] == mcnemar(first, second)["p_value"]


def test_mcnemar_is_used_only_with_one_image_per_patient():
    first, second = np.array([True, True, True, False]), np.array([False, False, True, False])
    single = compare_accuracy(first, second, list("abcd"))
    assert single["test"] == "mcnemar" and single["p_value"] == mcnemar(first, second)["p_value"] == 0.5
    several = compare_accuracy(first, second, list("aabb"))
    assert several["test"] == "sign-flip by patient" and several["p_value"] == 1.0
    assert several["only_first"] == 2 and several["first"] == 0.75


@pytest.mark.parametrize("test", ["delong", "permutation", "sign-flip"])
def test_equally_good_models_are_told_apart_in_about_one_of_twenty_draws(test):
    wrong, draws = 0, 300
    for seed in range(draws):
        truth, scores, patient = two_models(seed, patients=50, most=4)
        if test == "delong":
            p_value = auroc_difference(truth, scores, patient)["p_value"]
        elif test == "permutation":
            p_value = permutation_test(truth, scores, patient, draws=199, seed=seed)
        else:
            p_value = sign_flip_test(*((scores > 0.5) == truth), patient, draws=199, seed=seed)
        wrong += p_value <= 0.05
    assert wrong / draws <= 0.09  # .05 and three standard errors
