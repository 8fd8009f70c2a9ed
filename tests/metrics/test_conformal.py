"""Prediction sets: thresholds by hand, against crepes, and by simulation with several images a patient."""

import math

import numpy as np
import pytest

from medxray.metrics.conformal import ALWAYS, PredictionSets, conformal_threshold, fit_sets


def test_threshold_is_the_highest_value_of_that_rank_with_one_image_a_patient():
    values = np.arange(9.0)
    # ceil((9 + 1) 0.8) = 8th highest of 8, 7, ... 0; ceil((9 + 1) 0.75) = 8th, too; ceil((9 + 1) 0.7) = 7th
    assert conformal_threshold(values, np.arange(9), level=0.8) == 1.0
    assert conformal_threshold(values, np.arange(9), level=0.75) == 1.0
    assert conformal_threshold(values, np.arange(9), level=0.7) == 2.0


@pytest.mark.parametrize(("patients", "level", "known"), [(38, 0.975, False), (39, 0.975, True), (40, 0.975, True)])
def test_too_few_patients_for_a_level_put_the_class_into_every_set(patients, level, known):
    found = conformal_threshold(np.linspace(1, 2, patients), np.arange(patients), level=level)
    assert found == (1.0 if known else ALWAYS)
    assert PredictionSets(level, (found,), (patients,)).needed == 39


def test_no_image_of_a_class_puts_it_into_every_set():
    assert conformal_threshold([], [], level=0.5) == ALWAYS


def test_images_share_the_weight_of_their_patient():
    # patients a: 5, 4, 3, 2 (a quarter each), b: 1, c: 0; (3 + 1) 0.5 = 2 is reached at b: 4/4 + 1
    values, patients = [5.0, 4.0, 3.0, 2.0, 1.0, 0.0], ["a", "a", "a", "a", "b", "c"]
    assert conformal_threshold(values, patients, level=0.5) == 1.0
    # (3 + 1) 0.125 = 0.5 is reached at the second image of a
    assert conformal_threshold(values, patients, level=0.125) == 4.0
    # as many patients as images: the third of six is reached by (6 + 1) 0.4 = 2.8
    assert conformal_threshold(values, range(6), level=0.4) == 3.0


def test_copies_of_the_images_of_a_patient_change_nothing():
    rng = np.random.default_rng(0)
    values, patients = rng.normal(size=80), rng.integers(0, 50, 80)
    copied = np.concatenate([values, np.repeat(values[patients == 3], 4)])
    of_copies = np.concatenate([patients, np.full(4 * (patients == 3).sum(), 3)])
    assert conformal_threshold(copied, of_copies) == conformal_threshold(values, patients)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("level", [0.903, 0.973])  # crepes differs where (n + 1) (1 - level) is whole
def test_sets_are_those_of_crepes_where_each_patient_has_one_image(simulate, classes, level):
    crepes = pytest.importorskip("crepes")
    calibration, new = (
        simulate(400, classes, seed=1),
        simulate(300, classes, seed=2),
    )
    probabilities = [np.asarray(part.raw_probabilities) for part in (calibration, new)]
    log_odds = [np.log(part / (1 - part)) for part in probabilities]
    rows = np.arange(400)
    oracle = crepes.ConformalClassifier()
    oracle.fit(1 - probabilities[0][rows, calibration.y_true], bins=calibration.y_true)
    own = fit_sets({"clean": [log_odds[0]]}, calibration.y_true, rows, level=level)
    found = log_odds[1] >= np.array(own.log_odds)
    for k in range(classes):
        alphas = 1 - probabilities[1][:, [k]]
        expected = oracle.predict_set(alphas, bins=np.full(300, k), confidence=level, smoothing=False)
        assert found[:, k].tolist() == np.asarray(expected)[:, 0].astype(bool).tolist()
    assert 0 < found.mean() < 1


def test_the_label_is_in_every_set_so_none_is_empty():
    sets = PredictionSets(0.9, (3.0, 3.0, ALWAYS), (50, 50, 2))
    log_odds = np.array([[0.0, -1.0, -9.0], [-1.0, 4.0, -9.0]])
    assert sets.contains(log_odds, [0, 1]).tolist() == [[True, False, True], [False, True, True]]


def test_the_lowest_threshold_of_the_kinds_of_views_counts():
    rng = np.random.default_rng(0)
    clean, worse = rng.normal(2, 1, (90, 2)), rng.normal(0, 1, (90, 2))
    truth, patients = np.arange(90) % 2, np.arange(90)
    alone = [fit_sets({"a": [part]}, truth, patients, level=0.9) for part in (clean, worse)]
    both = fit_sets({"clean": [clean], "shifted": [worse]}, truth, patients, level=0.9)
    assert both.log_odds == tuple(np.min([part.log_odds for part in alone], axis=0)) == alone[1].log_odds
    assert both.patients == (45, 45)
    several = fit_sets({"shifted": [worse, worse, worse]}, truth, patients, level=0.9)
    assert several.log_odds == alone[1].log_odds  # a view is a further image of its patient, not another patient


def of_patients(rng, patients):
    """Log-odds of images of patients: those with many images are sure, those with one are not."""
    images = np.where(rng.random(patients) < 0.3, 10, 1)
    patient = np.repeat(np.arange(patients), images)
    return np.where(images > 1, 5.0, 0.0)[patient] + rng.normal(size=patients)[patient] + 0.1 * rng.normal(
        size=len(patient)
    ), patient


def test_an_image_of_a_new_patient_is_covered_at_the_level_which_counting_images_does_not_give():
    """A tenth of the patients below the level or not at all: 2,000 simulated calibrations of 60 patients."""
    rng, level = np.random.default_rng(0), 0.9
    by_patient, by_image = [], []
    for _ in range(2000):
        values, patient = of_patients(rng, 60)
        new, of_new = of_patients(rng, 40)
        weights = 1 / np.bincount(of_new)[of_new] / 40
        by_patient.append(weights @ (new >= conformal_threshold(values, patient, level=level)))
        by_image.append(weights @ (new >= conformal_threshold(values, np.arange(len(values)), level=level)))
    error = np.std(by_patient) / math.sqrt(2000)
    assert level - 3 * error <= np.mean(by_patient) <= level + 0.02
    assert np.mean(by_image) < level - 0.05
