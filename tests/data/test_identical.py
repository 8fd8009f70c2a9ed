"""Byte-identical files go together when a split is carved."""

import logging
import shutil

import pytest

from medxray.data.identical import identical_files, patients_with_shared_files
from medxray.data.layouts.sources import load_manifest
from medxray.data.split_checks import check_split, split_cause
from medxray.data.splits import assign_splits

COUNT = 24  # pictures of each class


@pytest.fixture
def folder(make_tree):
    return make_tree(*(f"{label}/{n:02d}.png" for label in ("NORMAL", "PNEUMONIA") for n in range(COUNT)))


def copy_each(folder, count, suffix):
    for n in range(count):
        shutil.copy(folder / "NORMAL" / f"{n:02d}.png", folder / "NORMAL" / f"{n:02d}{suffix}.png")


def test_files_of_equal_bytes_are_found_and_those_of_equal_size_are_not(make_manifest, tmp_path):
    for name, content in (("a", b"one"), ("b", b"two"), ("c", b"one"), ("d", b"longer")):
        (tmp_path / name).write_bytes(content)
    manifest = make_manifest([(name, "NORMAL", "", "", "") for name in ("a", "b", "c", "d", "gone")])
    assert [rows.tolist() for rows in identical_files(manifest)] == [[0, 2]]


def test_patients_linked_by_files_count_as_one(make_manifest, tmp_path):
    contents = {"a": b"1", "b": b"1", "c": b"22", "d": b"22", "e": b"333", "f": b"333", "g": b"4444"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    patients = dict(a="p", b="q", c="q", d="r", e="s", f="t", g="u")
    manifest = make_manifest([(name, "NORMAL", "", patients[name], "") for name in contents])
    assert patients_with_shared_files(manifest).tolist() == ["p", "p", "p", "p", "s", "s", "u"]


@pytest.mark.parametrize("seed", range(5))
def test_copies_of_a_file_lie_on_one_side_of_a_split(folder, seed):
    copy_each(folder, 12, "_copy")
    copy_each(folder, 6, "_third")
    manifest = assign_splits(load_manifest(folder), seed=seed)
    splits = dict(zip(manifest.table["path"], manifest.table["split"], strict=True))
    for n in range(12):
        names = [f"NORMAL/{n:02d}{suffix}.png" for suffix in ("", "_copy", "_third")]
        assert len({splits[name] for name in names if name in splits}) == 1
    assert set(splits.values()) == {"train", "val", "test"}


def test_a_set_without_copies_keeps_its_split(folder, monkeypatch):
    manifest = load_manifest(folder)
    grouped = assign_splits(manifest)
    monkeypatch.setattr("medxray.data.splits.patients_with_shared_files", lambda manifest: manifest.patients())
    assert grouped.table.equals(assign_splits(manifest).table)


def test_copies_in_two_given_splits_are_told(make_tree, caplog):
    folder = make_tree(*(f"{split}/{label}/{n}.png" for split in ("train", "test") for label in "ab" for n in range(3)))
    shutil.copy(folder / "train/a/0.png", folder / "test/a/copy.png")
    assign_splits(load_manifest(folder, positive="b"))
    assert "1 files lie in two splits under different names, for example test/a/copy.png = train/a/0.png" in caplog.text


def test_a_split_without_a_class_is_told_with_the_cause(make_manifest, caplog):
    rows = [(f"{n}.png", "NORMAL", "", f"p{n}", ("train", "val", "test")[n % 3]) for n in range(30)]
    rows += [(f"s{n}.png", "PNEUMONIA", "", "one", "train") for n in range(9)]
    with caplog.at_level(logging.WARNING, logger="medxray"):
        check_split(make_manifest(rows))
    assert (
        "The val split has no image of class PNEUMONIA. The 9 images of class PNEUMONIA are of 1 patient" in caplog.text
    )
    assert "The test split has no image of class PNEUMONIA." in caplog.text
    assert "The train split has no image" not in caplog.text


def test_the_cause_of_an_impossible_split_names_the_patient_with_most_images(make_manifest):
    rows = [(f"{n}.png", "NORMAL", "", "anon" if n else "other", "") for n in range(20)]
    assert "The 20 images are of 2 patients, patient anon has 19 of them" in split_cause(make_manifest(rows))
    assert split_cause(make_manifest([(f"{n}.png", "NORMAL", "", f"p{n}", "") for n in range(20)])) == ""
