"""Which images are taken."""

import numpy as np

from medxray.explain.checks.sample import balanced_order

LABELS = np.array([0] * 12 + [1] * 4)
PATIENTS = np.array([f"a{number // 3}" for number in range(12)] + ["b", "b", "c", "d"])


def test_the_first_images_are_half_of_each_class_and_of_different_patients():
    order = balanced_order(LABELS, PATIENTS, seed=0)
    assert sorted(order) == list(range(16))
    assert LABELS[order[:8]].tolist() == [0, 1] * 4
    assert len(set(PATIENTS[order[:6]])) == 6
    assert LABELS[order[8:]].tolist() == [0] * 8


def test_the_order_follows_the_seed():
    orders = [balanced_order(LABELS, PATIENTS, seed=seed).tolist() for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
