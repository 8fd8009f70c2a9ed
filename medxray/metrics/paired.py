"""Tests of two models on the same images that hold with several images per patient."""

import numpy as np
from scipy.stats import binomtest, rankdata
from scipy.stats import t as student

from medxray.metrics.clustered import clustered_auroc, degrees_of_freedom, patient_index

N_DRAWS = 4999
_CELLS = 2_000_000  # images times draws that are ranked at a time
_NO_ERROR = 1e-12


def auroc_difference(is_positive, scores, patient_ids):
    """Difference of two AUROCs with its interval and test by patient.

    Args:
        is_positive: bool array (n,).
        scores: two float arrays (n,), one per model.
        patient_ids: str array (n,).

    Returns:
        dict: first, second, difference (first - second), ci95 ([low, high]) and p_value (two-sided); the last two are
        None where no patient tells the models apart.

    Raises:
        DataError: fewer than two patients with images of each kind.

    Source: Obuchowski (1997), section 3, the clustered form of DeLong et al. (1988); deviations: a t quantile, see
    `clustered.degrees_of_freedom`, instead of the normal one.
    """
    first, second = (clustered_auroc(is_positive, score, patient_ids) for score in scores)
    influence = first.influence - second.influence
    difference, error = first.value - second.value, float(np.sqrt((influence**2).sum()))
    result = {"first": first.value, "second": second.value, "difference": difference}
    if error < _NO_ERROR:
        return result | {"ci95": None, "p_value": None}
    degrees = degrees_of_freedom(influence, min(first.patients, second.patients))
    half = float(student.ppf(0.975, degrees)) * error
    p_value = float(2 * student.sf(abs(difference) / error, degrees))
    return result | {"ci95": [difference - half, difference + half], "p_value": p_value}


def permutation_test(is_positive, scores, patient_ids, *, draws=N_DRAWS, seed=0):
    """Test that two models have the same AUROC: the models are exchanged patient by patient at random.

    Args:
        is_positive: bool array (n,), with images of both kinds.
        scores: two float arrays (n,), one per model, on any scale: their ranks are exchanged.
        patient_ids: str array (n,); all images of a patient are exchanged together.
        draws: number of random exchanges.
        seed: of the draws.

    Returns:
        p-value, 1 / (draws + 1) to 1, two-sided.

    Source: Bandos, Rockette and Gur (2005), A permutation test sensitive to differences in areas; deviations: whole
    patients are exchanged, and the exchanges are drawn instead of listed.
    """
    is_positive = np.asarray(is_positive, dtype=bool)
    ranked = np.stack([rankdata(score) for score in scores])
    patient, patients = patient_index(patient_ids)
    observed = abs(float(np.subtract(*_areas(is_positive, ranked))))
    rng, extreme, done = np.random.default_rng(seed), 0, 0
    block = max(1, _CELLS // max(1, len(patient)))
    while done < draws:
        rows = min(block, draws - done)
        swapped = rng.random((rows, patients)) < 0.5
        swapped = swapped[:, patient]
        first = np.where(swapped, ranked[1], ranked[0])
        second = np.where(swapped, ranked[0], ranked[1])
        differences = _areas(is_positive, first) - _areas(is_positive, second)
        extreme += int((np.abs(differences) >= observed - _NO_ERROR).sum())
        done += rows
    return (extreme + 1) / (draws + 1)


def _areas(is_positive, scores):
    """AUROC of each row of scores (B, n), float64 (B,)."""
    positive, negative = int(is_positive.sum()), int((~is_positive).sum())
    ranks = rankdata(scores, axis=1)
    return (ranks[:, is_positive].sum(axis=1) - positive * (positive + 1) / 2) / (positive * negative)


def mcnemar(first_correct, second_correct):
    """Exact test that two models are right equally often on the same images, of which each patient has one.

    Args:
        first_correct: bool array (n,): the first model labels the image correctly.
        second_correct: bool array (n,), the same for the second model.

    Returns:
        dict: only_first and only_second (images that one model alone gets right), p_value (two-sided, 0-1).

    Source: McNemar (1947), with the exact binomial distribution; deviations: none.
    """
    first_correct, second_correct = np.asarray(first_correct, dtype=bool), np.asarray(second_correct, dtype=bool)
    only_first = int((first_correct & ~second_correct).sum())
    only_second = int((second_correct & ~first_correct).sum())
    disagreements = only_first + only_second
    p_value = float(binomtest(only_first, disagreements).pvalue) if disagreements else 1.0
    return {"only_first": only_first, "only_second": only_second, "p_value": p_value}


def sign_flip_test(first_correct, second_correct, patient_ids, *, draws=N_DRAWS, seed=0):
    """Test that two models are right equally often, where patients have several images.

    What one patient adds to the difference of the numbers of right answers is taken with a random sign.

    Args:
        first_correct: bool array (n,): the first model labels the image correctly.
        second_correct: bool array (n,), the same for the second model.
        patient_ids: str array (n,).
        draws: number of random signs of all patients.
        seed: of the draws.

    Returns:
        p-value, 1 / (draws + 1) to 1, two-sided; 1 where the models never differ.

    Source: Fisher (1935), The design of experiments, section 21, with drawn instead of listed signs.
    """
    patient, patients = patient_index(patient_ids)
    gain = np.asarray(first_correct, dtype=np.float64) - np.asarray(second_correct, dtype=np.float64)
    by_patient = np.bincount(patient, weights=gain, minlength=patients)
    by_patient = by_patient[by_patient != 0]
    if not len(by_patient):
        return 1.0
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(draws, len(by_patient)))
    extreme = int((np.abs(signs @ by_patient) >= abs(by_patient.sum()) - _NO_ERROR).sum())
    return (extreme + 1) / (draws + 1)


def compare_accuracy(first_correct, second_correct, patient_ids, *, draws=N_DRAWS, seed=0):
    """Shares of right answers of two models and the test that fits: McNemar's, or by patient.

    Returns:
        dict: first, second (shares), only_first, only_second (images), p_value and test, "mcnemar" where each patient
        has one image, else "sign-flip by patient".
    """
    table = mcnemar(first_correct, second_correct)
    shares = {"first": float(np.mean(first_correct)), "second": float(np.mean(second_correct))}
    if len(np.unique(patient_ids)) == len(patient_ids):
        return shares | table | {"test": "mcnemar"}
    p_value = sign_flip_test(first_correct, second_correct, patient_ids, draws=draws, seed=seed)
    return shares | table | {"p_value": p_value, "test": "sign-flip by patient"}
