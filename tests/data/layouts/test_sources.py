import os

import pytest

from medxray.data.layouts.sources import load_manifest
from medxray.errors import ConfigError, DataError

KERMANY = (
    "train/NORMAL/IM-0115-0001.jpeg",
    "train/NORMAL/IM-0115-0001-0002.jpeg",
    "train/PNEUMONIA/person1_bacteria_1.jpeg",
    "train/PNEUMONIA/person1_virus_2.jpeg",
    "val/NORMAL/NORMAL2-IM-0115-0001.jpeg",
    "test/PNEUMONIA/person9_virus_9.jpeg",
)


def test_an_empty_name_does_not_mean_the_current_folder():
    with pytest.raises(DataError, match="An empty name was given for the data"):
        load_manifest("")


def test_kaggle_tree_gives_labels_subtypes_patients_and_splits(make_tree):
    manifest = load_manifest(make_tree(*KERMANY))
    assert (manifest.task, manifest.classes, manifest.positive) == ("pneumonia", ("NORMAL", "PNEUMONIA"), "PNEUMONIA")
    assert manifest.grouped
    assert [tuple(row) for row in manifest.table.itertuples(index=False)] == [
        ("test/PNEUMONIA/person9_virus_9.jpeg", "PNEUMONIA", "viral", "person9", "test"),
        ("train/NORMAL/IM-0115-0001-0002.jpeg", "NORMAL", "", "IM-0115", "train"),
        ("train/NORMAL/IM-0115-0001.jpeg", "NORMAL", "", "IM-0115", "train"),
        ("train/PNEUMONIA/person1_bacteria_1.jpeg", "PNEUMONIA", "bacterial", "person1", "train"),
        ("train/PNEUMONIA/person1_virus_2.jpeg", "PNEUMONIA", "viral", "person1", "train"),
        ("val/NORMAL/NORMAL2-IM-0115-0001.jpeg", "NORMAL", "", "NORMAL2-IM-0115", "val"),
    ]


def test_wrapping_folders_change_nothing(make_tree, tmp_path):
    make_tree(*(f"archive/chest_xray/{name}" for name in KERMANY))
    outer, inner = load_manifest(tmp_path), load_manifest(tmp_path / "archive" / "chest_xray")
    assert outer.table.equals(inner.table)
    assert outer.root == inner.root


def test_subtype_task_takes_classes_from_file_names_and_skips_those_that_do_not_say(make_tree):
    manifest = load_manifest(make_tree(*KERMANY, "train/PNEUMONIA/unclear.jpeg"), task="pneumonia-subtype")
    assert manifest.classes == ("NORMAL", "BACTERIAL", "VIRAL")
    assert manifest.positive is None
    assert manifest.labels().tolist() == [2, 0, 0, 1, 2, 0]
    assert [(item.path, item.reason) for item in manifest.skipped] == [
        ("train/PNEUMONIA/unclear.jpeg", "its name does not say bacteria or virus")
    ]


def test_other_names_leave_the_patient_unknown(make_tree):
    manifest = load_manifest(make_tree(*KERMANY, "train/NORMAL/extra.jpeg"))
    assert not manifest.grouped
    assert manifest.table.set_index("path")["patient_id"]["train/NORMAL/extra.jpeg"] == ""


def test_class_folders_of_another_set_are_the_classes(make_tree):
    manifest = load_manifest(make_tree("Edema/a.png", "No Edema/b.png"))
    assert (manifest.task, manifest.classes, manifest.positive) == ("folders", ("No Edema", "Edema"), "Edema")
    assert not manifest.grouped
    assert manifest.table["split"].tolist() == ["", ""]


def test_class_first_trees_give_their_splits_too(make_tree):
    manifest = load_manifest(make_tree("a/train/1.png", "a/test/2.png", "b/train/3.png"), positive="b")
    assert manifest.table["split"].tolist() == ["test", "train", "train"]


def test_spellings_that_differ_in_case_are_one_class(make_tree):
    manifest = load_manifest(make_tree("train/Normal/a.png", "train/Edema/b.png", "test/NORMAL/c.png"))
    assert len(manifest.classes) == 2
    assert set(manifest.table["label"]) <= set(manifest.classes)


def test_three_classes_have_no_positive_one(make_tree):
    folder = make_tree("c/1.png", "a/2.png", "b/3.png")
    assert load_manifest(folder).classes == ("a", "b", "c")
    assert load_manifest(folder).positive is None
    with pytest.raises(ConfigError, match="--positive is for two classes. There are 3"):
        load_manifest(folder, positive="a")


def test_two_classes_that_do_not_say_which_is_sick_need_positive(make_tree):
    folder = make_tree("type1/a.png", "type2/b.png")
    with pytest.raises(DataError, match="do not say which one is sick. Pass --positive type1 or --positive type2"):
        load_manifest(folder)
    assert load_manifest(folder, positive="TYPE1").classes == ("type2", "type1")
    with pytest.raises(ConfigError, match="--positive must be one of type1, type2. Received 'typo'"):
        load_manifest(folder, positive="typo")


def test_one_class_only_is_refused(make_tree):
    with pytest.raises(DataError, match="at least two classes. Found one class only: Edema"):
        load_manifest(make_tree("train/Edema/a.png"))


def test_one_class_is_fine_where_the_classes_are_given(make_tree):
    manifest = load_manifest(make_tree("test/Edema/a.png"), task="folders", classes=("No Edema", "Edema"))
    assert (manifest.classes, manifest.positive) == (("No Edema", "Edema"), "Edema")
    assert manifest.labels().tolist() == [1]


def test_given_classes_keep_their_order(make_tree):
    manifest = load_manifest(make_tree("test/x/a.png", "test/y/b.png"), task="folders", classes=("y", "x"))
    assert (manifest.classes, manifest.positive) == (("y", "x"), "x")


def test_label_map_renames_and_refuses_unknown_names(make_tree):
    folder = make_tree("sick/a.png", "well/b.png")
    manifest = load_manifest(folder, task="pneumonia", label_map={"Sick": "PNEUMONIA", "well": "NORMAL"})
    assert manifest.labels().tolist() == [1, 0]
    with pytest.raises(DataError, match="--label-map names 'ill', which is no label here. Labels: sick, well"):
        load_manifest(folder, task="pneumonia", label_map={"ill": "PNEUMONIA"})
    with pytest.raises(DataError, match=r"Label must be one of NORMAL, PNEUMONIA. Received 'sick' \(sick/a.png\)"):
        load_manifest(folder, task="pneumonia")


def test_unknown_task_and_foreign_positive_are_refused(make_tree):
    folder = make_tree(*KERMANY)
    with pytest.raises(ConfigError, match="Task must be one of .* Received 'lungs'"):
        load_manifest(folder, task="lungs")
    with pytest.raises(ConfigError, match="--positive is PNEUMONIA in the pneumonia task"):
        load_manifest(folder, positive="NORMAL")


def test_what_is_no_image_is_skipped_with_the_reason(make_tree):
    folder = make_tree(*KERMANY)
    (folder / "train/NORMAL/notes.png").write_text("just text")
    (folder / "train/NORMAL/empty.png").write_bytes(b"")
    (folder / "train/NORMAL/.DS_Store").write_bytes(b"x")
    os.symlink("nowhere", folder / "train/NORMAL/broken.png")
    manifest = load_manifest(folder)
    assert len(manifest) == len(KERMANY)
    assert {item.path.rsplit("/", 1)[1]: item.reason for item in manifest.skipped} == {
        "notes.png": "not an image (PNG, JPEG, BMP, TIFF, DICOM, WebP, GIF, JPEG 2000 or AVIF)",
        "empty.png": "the file is empty",
        "broken.png": "No such file or directory",
    }


def test_a_name_that_is_no_text_is_skipped(make_tree):
    folder = make_tree(*KERMANY)
    os.rename(folder / KERMANY[0], os.fsencode(folder / "train/NORMAL") + b"/\xff\xfe.jpeg")
    manifest = load_manifest(folder)
    assert len(manifest) == len(KERMANY) - 1
    assert manifest.skipped[0].reason == "its name holds control characters or is not UTF-8; rename it"
    assert manifest.skipped[0].path.isascii()


def test_nothing_usable_names_the_first_reason_and_the_remedy(make_tree):
    folder = make_tree("NORMAL/a.png", "PNEUMONIA/b.png")
    for name in ("NORMAL/a.png", "PNEUMONIA/b.png"):
        (folder / name).write_text("no image")
    with pytest.raises(
        DataError, match="No usable images .*first of 2 files: NORMAL/a.png: not an image.*data phantom"
    ):
        load_manifest(folder)


def test_missing_folder_names_the_kaggle_set(tmp_path):
    with pytest.raises(DataError, match="none does not exist. Unzip the Kaggle set paultimothymooney/chest-xray"):
        load_manifest(tmp_path / "none")


def test_csv_options_are_refused_for_a_folder(make_tree):
    with pytest.raises(ConfigError, match="--label-col is for a CSV"):
        load_manifest(make_tree(*KERMANY), label_col="label")


def test_kermany_like_names_group_nothing_in_other_sets(make_tree):
    manifest = load_manifest(make_tree("Edema/IM-0001-0001.png", "No Edema/IM-0001-0002.png"))
    assert manifest.table["patient_id"].tolist() == ["", ""]
