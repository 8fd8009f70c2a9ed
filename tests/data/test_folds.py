"""Folds of a cross-validation."""

import dataclasses

import numpy as np
import pytest

from medxray.data.folds import fold_manifests
from medxray.errors import DataError


@pytest.fixture
def manifest(make_manifest):
    """Three images of each of 20 patients of a class."""
    named = [
        (label, f"{label}{patient}", k) for label in ("NORMAL", "PNEUMONIA") for patient in range(20) for k in range(3)
    ]
    return make_manifest([(f"{patient}-{k}.png", label, "", patient, "") for label, patient, k in named])


def test_every_image_is_tested_once_and_no_patient_is_on_two_sides(manifest):
    folds = fold_manifests(manifest, 5, seed=1)
    tested = np.stack([(fold.table["split"] == "test").to_numpy() for fold in folds])
    np.testing.assert_array_equal(tested.sum(axis=0), 1)
    for fold in folds:
        assert list(fold.table["path"]) == list(manifest.table["path"])
        sides = {name: set(fold.subset(name).patients()) for name in ("train", "val", "test")}
        assert (
            not sides["train"] & sides["val"]
            and not sides["train"] & sides["test"]
            and not sides["val"] & sides["test"]
        )
        for name, patients in sides.items():
            kinds = [sum(patient.startswith(label) for patient in patients) for label in manifest.classes]
            assert kinds[0] == kinds[1] == {"test": 4, "val": 2, "train": 14}[name]


def test_a_seed_repeats_and_another_differs(manifest):
    one, again, other = ([list(fold.table["split"]) for fold in fold_manifests(manifest, 3, seed=k)] for k in (0, 0, 1))
    assert one == again and one != other


def test_a_test_split_of_the_data_stays_out(manifest, caplog):
    table = manifest.table.assign(split=["test"] * 6 + ["train"] * 114)
    folds = fold_manifests(dataclasses.replace(manifest, table=table), 2, seed=0)
    assert {len(fold) for fold in folds} == {114} and "6 images) takes no part" in caplog.text


def test_too_few_patients_are_named(manifest):
    with pytest.raises(DataError, match="21 folds need as many patients of each class. Class NORMAL has 20"):
        fold_manifests(manifest, 21)
