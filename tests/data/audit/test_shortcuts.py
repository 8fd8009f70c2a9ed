import numpy as np
import pytest

from medxray.data.audit.shortcuts import probe_size


def sizes(n, seed=0):
    return np.random.default_rng(seed).integers(500, 2000, (n, 2))


def patients(n, each=1):
    return np.array([f"p{k // each}" for k in range(n)])


def test_size_that_gives_the_label_away_is_found():
    size, labels = sizes(200), np.arange(200) % 2
    size[labels == 1, 0] += 1600
    probe = probe_size(size, labels, patients(200))
    assert probe.auroc > 0.99
    assert probe.warning


def test_only_the_aspect_ratio_is_enough():
    labels = np.arange(200) % 2
    height = np.random.default_rng(0).integers(500, 2000, 200)
    size = np.column_stack([np.where(labels, height * 13 // 10, height), height])
    assert probe_size(size, labels, patients(200)).auroc > 0.9


def test_size_without_a_relation_gives_no_warning():
    probe = probe_size(sizes(600), np.random.default_rng(1).integers(0, 2, 600), patients(600))
    assert abs(probe.auroc - 0.5) < 0.09
    assert not probe.warning


def test_patients_with_a_size_of_their_own_do_not_count_as_a_relation():
    rng = np.random.default_rng(0)
    size = np.repeat(sizes(60), 10, axis=0)
    labels = np.repeat(rng.integers(0, 2, 60), 10)
    assert probe_size(size, labels, patients(600)).auroc > 0.9
    assert probe_size(size, labels, patients(600, each=10)).auroc < 0.7


def test_three_classes_are_averaged():
    labels = np.arange(150) % 3
    size = np.column_stack([600 + 400 * labels, np.full(150, 900)]) + np.random.default_rng(0).integers(0, 9, (150, 2))
    assert probe_size(size, labels, patients(150)).auroc > 0.99


@pytest.mark.parametrize(
    ("size", "labels", "auroc", "note"),
    [
        (np.full((20, 2), 224), np.arange(20) % 2, 0.5, "all images have one size"),
        (sizes(20), np.zeros(20, int), None, "there is one class only"),
        (sizes(20), (np.arange(20) == 3).astype(int), None, "a class has fewer than 2 patients"),
    ],
)
def test_what_cannot_be_told_says_why(size, labels, auroc, note):
    probe = probe_size(size, labels, patients(20))
    assert (probe.auroc, probe.note, probe.warning) == (auroc, note, False)
