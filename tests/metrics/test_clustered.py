"""AUROC with intervals by patient."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medxray.errors import DataError
from medxray.metrics.clustered import clustered_auroc, degrees_of_freedom, mean_auroc, placements


def simulated(seed=0, patients=40, most=1):
    rng = np.random.default_rng(seed)
    images = rng.integers(1, most + 1, patients)
    patient = np.repeat(np.arange(patients), images)
    truth = np.repeat(np.arange(patients) % 2 == 1, images)
    return truth, rng.normal(size=len(truth)) + truth, patient.astype(str)


def test_the_value_is_the_auroc_with_ties_counted_half():
    truth, score, patient = simulated()
    score = np.round(score, 1)
    assert clustered_auroc(truth, score, patient).value == pytest.approx(roc_auc_score(truth, score), abs=1e-12)


def test_with_one_image_per_patient_the_error_is_that_of_delong(delong):
    truth, score, patient = simulated(patients=60)
    _, covariance = delong(truth, score)
    assert clustered_auroc(truth, score, patient).error == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-12)


def test_the_error_of_two_patients_of_each_kind_by_hand():
    # positive 3 | 1, negative 2 | 0: pairs won 3>2, 3>0, 1>0 of four; placements above .5+.. = 1, .5 and .5, 1
    found = clustered_auroc([True, True, False, False], [3, 1, 2, 0], list("abcd"))
    assert found.value == 0.75
    above, below = placements(np.array([True, True, False, False]), [3, 1, 2, 0])
    np.testing.assert_array_equal(above, [1.0, 0.5])
    np.testing.assert_array_equal(below, [0.5, 1.0])
    # each sum of squares is 2 * .25^2, times 2 / (2 - 1), over 2^2; two kinds of images
    assert found.error == pytest.approx(np.sqrt(2 * (2 * 0.25**2 * 2 / 4)))


def test_repeating_each_image_of_a_patient_changes_neither_value_nor_error():
    truth, score, patient = simulated()
    once = clustered_auroc(truth, score, patient)
    thrice = clustered_auroc(np.repeat(truth, 3), np.repeat(score, 3), np.repeat(patient, 3))
    assert thrice.value == pytest.approx(once.value) and thrice.error == pytest.approx(once.error)


def test_a_patient_with_images_of_both_kinds_counts_once():
    truth = np.array([True, False, True, False, True, False])
    score = np.array([3.0, 2.5, 2.0, 1.0, 0.9, 1.5])
    found = clustered_auroc(truth, score, list("aabbcd"))
    assert len(found.influence) == 4 and found.patients == 3


def test_a_perfect_separation_has_the_rule_of_three_as_lower_bound():
    truth = np.repeat([True, False], [30, 60])
    found = clustered_auroc(truth, truth.astype(float), np.arange(90).astype(str))
    assert found.interval() == (pytest.approx(0.9), 1.0)
    assert clustered_auroc(~truth, truth.astype(float), np.arange(90).astype(str)).interval() == (
        0.0,
        pytest.approx(0.1),
    )


def test_equal_scores_leave_everything_open():
    truth = np.repeat([True, False], 20)
    assert clustered_auroc(truth, np.zeros(40), np.arange(40).astype(str)).interval() == (0.0, 1.0)


def test_the_interval_lies_inside_0_and_1_and_around_the_value():
    for seed in range(20):
        found = clustered_auroc(*simulated(seed, patients=10, most=3))
        low, high = found.interval()
        assert 0 <= low < found.value <= high <= 1


def test_a_variance_that_one_patient_makes_up_has_few_degrees_of_freedom():
    even = degrees_of_freedom(np.random.default_rng(0).normal(size=2000), 1001)
    assert even == pytest.approx(1000, rel=0.15)
    assert degrees_of_freedom(np.append(np.full(99, 1e-4), 1.0), 50) == pytest.approx(2.0, abs=0.1)
    assert degrees_of_freedom(np.ones(50), 26) == 25 and degrees_of_freedom(np.zeros(5), 3) == 1


def test_the_mean_over_classes_shares_its_patients():
    parts = [clustered_auroc(*simulated(seed)) for seed in (1, 2)]
    mean = mean_auroc(parts)
    assert mean.value == pytest.approx(np.mean([part.value for part in parts]))
    assert mean.error <= max(part.error for part in parts)


def test_too_few_patients_are_an_error_that_says_how_many():
    with pytest.raises(DataError, match="2 patients with images of each kind. Received 1"):
        clustered_auroc([True, True, False, False], [1, 2, 3, 4], list("aabc"))


@pytest.mark.parametrize("most", [1, 4])
def test_intervals_near_the_ceiling_cover_the_true_value(most):
    covered, draws, distance = 0, 300, np.sqrt(2) * 2.0537489  # AUROC .98
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        images = rng.integers(1, most + 1, 50)
        patient, truth = np.repeat(np.arange(50), images), np.repeat(np.arange(50) % 2 == 1, images)
        shared = rng.normal(size=50)[patient]
        score = np.sqrt(0.5) * (shared + rng.normal(size=len(patient))) + distance * truth
        low, high = clustered_auroc(truth, score, patient).interval()
        covered += low <= 0.98 <= high
    assert covered / draws >= 0.92
