"""What is known about the real training images; skipped where they are not beside the project."""

import numpy as np
import pytest

from medxray.data.audit.duplicates import identical
from medxray.data.audit.shortcuts import probe_size
from medxray.data.images.files import identify
from medxray.data.layouts.sources import load_manifest
from medxray.data.split_checks import leaks
from medxray.data.splits import assign_splits


@pytest.fixture(scope="module")
def kermany(shared_data):
    return load_manifest(shared_data / "chest_xray")


def test_counts_are_those_of_the_publication(kermany):
    cells = {(cell["split"], cell["label"]): cell["images"] for cell in kermany.counts().to_dict("records")}
    assert cells == {("train", "NORMAL"): 1341, ("train", "PNEUMONIA"): 3875}
    assert kermany.table["subtype"].value_counts().to_dict() == {"bacterial": 2530, "": 1341, "viral": 1345}
    assert kermany.grouped
    assert kermany.skipped == ()
    assert round(kermany.labels().mean(), 3) == 0.743


def test_many_patient_numbers_occur_with_both_subtypes(kermany):
    sick = kermany.table[kermany.table["subtype"] != ""]
    assert (sick.groupby("patient_id")["subtype"].nunique() == 2).sum() == 808


def test_identical_files_lie_in_one_class_and_belong_to_one_patient(kermany):
    found = identical(kermany)
    assert (found.groups, found.files, found.across_labels, found.across_patients) == (24, 50, 0, 0)


def test_carved_splits_are_clean_and_stratified(kermany):
    result = assign_splits(kermany)
    assert leaks(result).empty
    shares = result.table.groupby("split").size() / len(result)
    assert (np.abs(shares[["val", "test"]] - 0.15) < 0.02).all()
    prevalence = (result.table["label"] == "PNEUMONIA").groupby(result.table["split"]).mean()
    assert (np.abs(prevalence - prevalence.mean()) < 0.03).all()


def test_a_split_by_image_would_leak_patients(kermany):
    rng = np.random.default_rng(0)
    split = np.where(rng.random(len(kermany)) < 0.2, "val", "train")
    leaky = type(kermany)(
        kermany.table.assign(split=split),
        *(getattr(kermany, name) for name in ("root", "task", "classes", "positive", "grouped")),
    )
    in_train = set(leaky.subset("train").table["patient_id"])
    share = leaky.subset("val").table["patient_id"].isin(in_train).mean()
    assert 0.55 < share < 0.67
    kinds = leaks(leaky)["kind"].value_counts()
    assert kinds["certain"] > 100 and kinds["possible"] > 100


def test_size_of_the_originals_predicts_the_label(shared_data):
    manifest = load_manifest(shared_data / "originals")
    infos = [identify(file) for file in manifest.files()]
    probe = probe_size([(info.width, info.height) for info in infos], manifest.labels(), manifest.patients())
    assert probe.warning
