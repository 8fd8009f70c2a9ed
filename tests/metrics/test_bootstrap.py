"""Resampling keeps patients together and every class present."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medxray.metrics.bootstrap import bootstrap, percentile_interval, resample_weights, resampling_obstacle, strata

PATIENTS = np.array(["a", "a", "b", "c", "c", "d"])
LABELS = np.array([0, 0, 1, 0, 1, 1])


def all_weights(patients, labels, **options):
    return np.concatenate(list(resample_weights(np.asarray(patients), np.asarray(labels), **options)))


def test_patients_with_several_classes_are_a_stratum_of_their_own():
    patient, stratum = strata(PATIENTS, LABELS)
    assert patient.tolist() == [0, 0, 1, 2, 2, 3]
    assert stratum.tolist() == [0, 1, -1, 1]  # a healthy, b sick, c both, d sick


def test_each_stratum_keeps_its_number_of_patients():
    weights = all_weights(PATIENTS, LABELS, n_boot=200)
    assert weights.shape == (200, 6)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 1])  # patient a
    assert (weights[:, 0] == 1).all()  # the only one of its stratum
    assert (weights[:, 3] == 1).all() and (weights[:, 4] == 1).all()
    assert (weights[:, 2] + weights[:, 5] == 2).all()
    assert set(weights[:, 2]) == {0, 1, 2}


@settings(max_examples=40, deadline=None)
@given(data=st.data(), n=st.integers(3, 40), k=st.integers(2, 4))
def test_images_of_a_patient_always_come_together_and_no_pure_class_vanishes(data, n, k):
    patients = np.array([f"p{value}" for value in data.draw(st.lists(st.integers(0, 12), min_size=n, max_size=n))])
    labels = np.array(data.draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n)))
    weights = all_weights(patients, labels, n_boot=20, seed=1)
    patient, stratum = strata(patients, labels)
    for index in range(len(stratum)):
        own = weights[:, patient == index]
        assert (own == own[:, :1]).all()
    for value in np.unique(stratum):
        first_images = [np.flatnonzero(patient == index)[0] for index in np.flatnonzero(stratum == value)]
        assert (weights[:, first_images].sum(axis=1) == len(first_images)).all()


def test_the_same_seed_gives_the_same_resamples_and_another_seed_others():
    patients, labels = np.arange(60).astype(str), np.arange(60) % 2
    first = all_weights(patients, labels, n_boot=50, seed=0)
    np.testing.assert_array_equal(first, all_weights(patients, labels, n_boot=50, seed=0))
    assert (first != all_weights(patients, labels, n_boot=50, seed=1)).any()


def test_large_splits_come_in_blocks_that_add_up():
    n = 30000
    blocks = list(resample_weights(np.arange(n).astype(str), np.arange(n) % 2, n_boot=70, seed=0))
    assert len(blocks) > 1 and sum(map(len, blocks)) == 70
    assert max(block.nbytes for block in blocks) <= 8_000_000


def share_of_correct(correct):
    return lambda weights: {"share": (weights @ correct) / weights.sum(axis=1)}


def test_spread_of_a_mean_is_the_textbook_standard_error():
    correct = np.append(np.repeat([1.0, 0.0], [160, 40]), np.repeat([1.0, 0.0], [50, 150]))
    labels = np.repeat([0, 1], 200)
    samples = bootstrap(share_of_correct(correct), np.arange(400).astype(str), labels, n_boot=4000)["share"]
    expected = np.sqrt(0.25 * 0.8 * 0.2 / 200 + 0.25 * 0.25 * 0.75 / 200)  # two strata of equal size
    assert samples.mean() == pytest.approx(correct.mean(), abs=0.002)
    assert samples.std() == pytest.approx(expected, rel=0.05)


def test_copies_of_images_of_one_patient_do_not_narrow_the_interval():
    rng = np.random.default_rng(0)
    correct, labels = (rng.random(100) < 0.8).astype(float), np.arange(100) % 2
    patients = np.arange(100).astype(str)
    once = bootstrap(share_of_correct(correct), patients, labels, n_boot=3000)["share"]
    copies = [np.repeat(values, 4) for values in (correct, patients, labels)]
    four = bootstrap(share_of_correct(copies[0]), copies[1], copies[2], n_boot=3000)["share"]
    alone = bootstrap(share_of_correct(copies[0]), np.arange(400).astype(str), copies[2], n_boot=3000)["share"]
    assert four.std() == pytest.approx(once.std(), rel=0.06)
    assert alone.std() == pytest.approx(once.std() / 2, rel=0.06)


def test_percentile_interval_by_hand():
    assert percentile_interval(np.arange(1001) / 1000) == pytest.approx((0.025, 0.975))


def test_a_few_undefined_resamples_are_left_out_and_many_refuse_the_interval():
    samples = np.arange(1001) / 1000
    samples[:50] = np.nan
    low, high = percentile_interval(samples)
    assert 0.05 < low < 0.08 and high == pytest.approx(0.976, abs=0.002)
    samples[:60] = np.nan
    assert percentile_interval(samples) is None
    assert percentile_interval(np.array([])) is None


def test_obstacles_to_resampling_are_named():
    few = resampling_obstacle(np.arange(9).astype(str), np.arange(9) % 2)
    assert few == "10 images are needed and there are 9"
    labels = np.append(np.zeros(20, int), 1)
    alone = resampling_obstacle(np.arange(21).astype(str), labels)
    assert alone == "2 patients of each class are needed and one class has 1"
    assert resampling_obstacle(np.arange(22).astype(str), np.append(labels, 1)) is None
