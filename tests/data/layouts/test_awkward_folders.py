"""Folders as people have them: wrapped classes, masks under many names, links that lead nowhere, loose images."""

import os

import pytest

from medxray.data.layouts.sources import load_manifest
from medxray.data.layouts.walk import is_mask_folder
from medxray.errors import DataError

CLASSES = ("NORMAL/a.png", "NORMAL/b.png", "PNEUMONIA/c.png", "PNEUMONIA/d.png")
DICOMDIR = b"\0" * 128 + b"DICM" + b"\0" * 100


def counts(manifest):
    return {(row.split, row.label): row.images for row in manifest.counts().itertuples()}


def four(*patterns):
    return [p.format(split=s, label=c) for p in patterns for s in ("train", "test") for c in ("NORMAL", "PNEUMONIA")]


@pytest.mark.parametrize(
    "pattern",
    [
        "{split}/images/{label}/a.png",
        "{split}/{split}/{label}/a.png",
        "{split}/{label}/{label}/a.png",
        "{label}/{split}/images/a.png",
        "{label}/images/{split}/a.png",
        "data/{split}/xrays/png/{label}/a.png",
    ],
)
def test_classes_and_splits_are_found_through_further_folders(make_tree, pattern):
    manifest = load_manifest(make_tree(*four(pattern)))
    found = {(split, label): 1 for split in ("train", "test") for label in ("NORMAL", "PNEUMONIA")}
    assert counts(manifest) == found


def test_a_class_folder_may_hold_one_of_its_own_name_or_one_called_normal(make_tree):
    folder = make_tree("NORMAL/NORMAL/a.png", "PNEUMONIA/normal exposure/b.png", "PNEUMONIA/normal/c.png", *CLASSES)
    assert counts(load_manifest(folder)) == {("", "NORMAL"): 3, ("", "PNEUMONIA"): 4}


def test_a_copy_of_the_dataset_beside_its_classes_is_told_and_not_counted(make_tree):
    manifest = load_manifest(make_tree(*CLASSES, *(f"copy/{name}" for name in CLASSES)))
    assert counts(manifest) == {("", "NORMAL"): 2, ("", "PNEUMONIA"): 2}
    assert [(item.path, item.reason) for item in manifest.ignored] == [("copy", "not a class folder; not counted")]


def test_a_dataset_inside_a_split_is_told(make_tree):
    names = [f"train/{name}" for name in CLASSES]
    manifest = load_manifest(make_tree(*names, "train/other/normal/x.png", "train/other/cat/x.png"))
    assert [item.path for item in manifest.ignored] == ["train/other"]


@pytest.mark.parametrize(
    ("loose", "place"), [("x.png", "."), ("train/x.png", "train"), ("train/images/x.png", "train/images")]
)
def test_images_in_no_class_folder_are_told(make_tree, loose, place):
    inner = "train/images" if "images" in loose else "train"
    manifest = load_manifest(make_tree(*(f"{inner}/{name}" for name in CLASSES), loose))
    told = [(item.path, item.reason) for item in manifest.ignored]
    assert told == [(place, "1 image in no class folder is left out, such as x.png")]
    assert len(manifest) == 4


def test_loose_images_around_the_dataset_are_told(make_tree):
    manifest = load_manifest(make_tree(*(f"inner/{name}" for name in CLASSES), "x.png", "y.png"))
    assert [item.reason for item in manifest.ignored] == ["2 images in no class folder are left out, such as x.png"]


def test_a_split_folder_without_class_folders_is_told_as_such(make_tree):
    manifest = load_manifest(make_tree(*(f"train/{name}" for name in CLASSES), "val/x.png"))
    told = [(item.path, item.reason) for item in manifest.ignored]
    assert told == [("val", "a split folder with images, but without class folders")]


def test_a_link_that_leads_nowhere_beside_the_classes_is_told(make_tree, tmp_path):
    folder = make_tree(*CLASSES)
    os.symlink(tmp_path / "gone", folder / "COVID")
    told = [(item.path, item.reason) for item in load_manifest(folder).ignored]
    assert told == [("COVID", f"a link to {tmp_path / 'gone'}, where nothing is")]


def dicomdir(folder):
    (folder / "DICOMDIR").write_bytes(DICOMDIR)


def dangling(folder):
    os.symlink("/gone/x.png", folder / "x.png")


def dangling_without_extension(folder):
    os.symlink("/gone/IM0001", folder / "IM0001")


def pipe(folder):
    os.mkfifo(folder / "x.png")


def data(folder):
    (folder / "IM0001").write_bytes(b"\1\2\3\0" * 50)


def placeholder(folder):
    (folder / "x.png.icloud").write_bytes(b"bplist00")


def hidden(folder):
    (folder / ".a.png").write_bytes(b"x")


@pytest.mark.parametrize(
    ("fill", "what"),
    [
        (dicomdir, "1 files, the first .*COVID/DICOMDIR: "),
        (dangling, r"1 files, the first .*COVID/x\.png: No such file"),
        (dangling_without_extension, "1 files, the first .*COVID/IM0001: No such file"),
        (pipe, r"1 files, the first .*COVID/x\.png: it is not a regular file"),
        (data, "1 files, the first .*COVID/IM0001: not an image"),
        (placeholder, r"1 files, the first .*COVID/x\.png\.icloud: not an image"),
        (hidden, "only hidden and system files"),
    ],
)
@pytest.mark.parametrize("split", ["", "train/"])
def test_a_class_folder_of_what_only_stands_for_images_stops_with_its_name(make_tree, fill, what, split):
    folder = make_tree(*(f"{split}{name}" for name in CLASSES))
    (folder / f"{split}COVID").mkdir()
    fill(folder / f"{split}COVID")
    with pytest.raises(DataError, match=rf"Class folder .*COVID holds no readable image \({what}"):
        load_manifest(folder)


@pytest.mark.parametrize("mask", ["masks/a.png", "in/lung masks/a.png", "a_mask.png", "mask_a.png", "x/a-mask-2.png"])
def test_a_class_folder_of_masks_alone_stops_with_its_name(make_tree, mask):
    folder = make_tree(*CLASSES, f"COVID/{mask}")
    with pytest.raises(DataError, match=r"COVID holds no readable image \(only masks, such as .*\.png\)"):
        load_manifest(folder)


def test_a_class_folder_of_links_to_another_class_stops_with_the_link(make_tree):
    folder = make_tree(*CLASSES)
    (folder / "COVID").mkdir()
    os.symlink(folder / "NORMAL" / "a.png", folder / "COVID" / "x.png")
    with pytest.raises(DataError, match=r"COVID holds no readable image \(only links, such as x\.png: a link to "):
        load_manifest(folder)


def test_a_folder_of_texts_beside_the_classes_is_no_class(make_tree):
    folder = make_tree(*CLASSES)
    (folder / "docs").mkdir()
    (folder / "docs" / "README").write_text("text")
    manifest = load_manifest(folder)
    assert manifest.classes == ("NORMAL", "PNEUMONIA")
    assert [item.path for item in manifest.ignored] == ["docs"]


@pytest.mark.parametrize("name", ["\u200b", " ", "\u202e"])
def test_a_class_folder_whose_name_cannot_be_seen_is_refused(make_tree, name):
    with pytest.raises(DataError, match="has a name that cannot be seen. Rename it"):
        load_manifest(make_tree(*CLASSES, f"{name}/x.png"))


@pytest.mark.parametrize(
    "name",
    [
        *("Lung Mask 512", "predicted_masks_512", "binary masks (png)", "seg", "Lung-Seg", "segs"),
        *("labels", "annotations", "contours", "roi"),
    ],
)
@pytest.mark.parametrize("beside", ["", "NORMAL/"])
def test_masks_go_by_many_names(make_tree, name, beside):
    manifest = load_manifest(make_tree(*CLASSES, f"{beside}{name}/a.png"))
    assert (len(manifest), manifest.classes) == (4, ("NORMAL", "PNEUMONIA"))
    assert manifest.ignored[0].reason == "1 mask image is left out, such as a.png"


@pytest.mark.parametrize("name", ["with_mask", "without mask 2", "unmasked", "Lungs", "segway"])
def test_other_names_are_no_folders_of_masks(tmp_path, name):
    (tmp_path / name).mkdir()
    assert not is_mask_folder(tmp_path / name)


@pytest.mark.parametrize(
    ("picture", "mask"),
    [
        *(("x", "lung_mask_x"), ("x", "predicted_mask_x"), ("x", "x_label"), ("x", "x_gt"), ("x", "x-annotation")),
        *(("img_1", "mask_1"), ("image1", "mask1"), ("x_image", "x_mask"), ("x_img", "x_msk"), ("x_CXR", "x_mask")),
    ],
)
def test_a_mask_is_known_by_the_picture_beside_it(make_tree, picture, mask):
    manifest = load_manifest(make_tree(*CLASSES, f"NORMAL/{picture}.png", f"NORMAL/{mask}.png"))
    assert len(manifest) == 5
    assert manifest.ignored[0].reason == f"1 mask image is left out, such as {mask}.png"


@pytest.mark.parametrize(
    ("one", "other"),
    [("x", "mask_y"), ("x", "x_2"), ("gt", "gt_1"), ("img_1", "img_2"), ("x", "xgt")],
)
def test_other_pictures_are_no_masks(make_tree, one, other):
    assert len(load_manifest(make_tree(*CLASSES, f"NORMAL/{one}.png", f"NORMAL/{other}.png"))) == 6


@pytest.mark.parametrize(
    "names",
    [("train_images", "test_images"), ("Training set", "Test set"), ("01_train", "02_test"), ("seg_train", "seg_test")],
)
def test_folders_whose_names_speak_of_splits_are_splits_where_several_lie_beside_each_other(make_tree, names):
    manifest = load_manifest(
        make_tree(*(f"{name}/{label}/a.png" for name in names for label in ("NORMAL", "PNEUMONIA")))
    )
    found = {(split, label): 1 for split in ("train", "test") for label in ("NORMAL", "PNEUMONIA")}
    assert counts(manifest) == found


def test_a_longer_name_beside_a_split_is_no_split(make_tree):
    names = ("train/NORMAL/a.png", "train/PNEUMONIA/a.png", "test_images/NORMAL/a.png", "test_images/PNEUMONIA/a.png")
    manifest = load_manifest(make_tree(*names))
    assert counts(manifest) == {("train", "NORMAL"): 1, ("train", "PNEUMONIA"): 1}
    assert [item.path for item in manifest.ignored] == ["test_images"]


@pytest.mark.parametrize("split", ["", "train/"])
def test_a_dataset_of_links_that_lead_nowhere_says_so(tmp_path, split):
    for name in ("NORMAL", "PNEUMONIA"):
        (tmp_path / f"{split}{name}").mkdir(parents=True)
        dangling(tmp_path / f"{split}{name}")
    with pytest.raises(DataError, match=r"The first of 2 files: .*NORMAL/x\.png: No such file or directory"):
        load_manifest(tmp_path)


def test_a_dataset_of_masks_alone_says_so(make_tree):
    with pytest.raises(DataError, match=r"NORMAL holds no readable image \(only masks, such as a\.png\)"):
        load_manifest(make_tree("NORMAL/masks/a.png", "PNEUMONIA/masks/b.png"))


def test_a_split_of_links_that_lead_nowhere_stops(make_tree):
    folder = make_tree(*(f"train/{name}" for name in CLASSES))
    for name in ("NORMAL", "PNEUMONIA"):
        (folder / "test" / name).mkdir(parents=True)
        dangling(folder / "test" / name)
    with pytest.raises(DataError, match=r"Class folder .*test/NORMAL holds no readable image \(1 files, the first"):
        load_manifest(folder)
