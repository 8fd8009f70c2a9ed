import os

import pytest

from medxray.data.layouts.folders import find_tree
from medxray.data.layouts.walk import class_files
from medxray.errors import DataError


def found(folder):
    tree = find_tree(folder)
    return [(split, name) for split, name, _ in tree.folders]


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("train", "val", "test"), ["train", "val", "test"]),
        (("Training", "VALIDATION", "Testing"), ["train", "val", "test"]),
        (("training", "valid"), ["train", "val"]),
        (("test",), ["test"]),
    ],
)
def test_usual_split_names_are_recognised(make_tree, names, splits):
    folder = make_tree(*(f"{name}/{label}/x.png" for name in names for label in ("a", "b")))
    assert found(folder) == [(split, label) for split in splits for label in ("a", "b")]


def test_kaggle_tree_with_nested_copy_counts_once(make_tree):
    names = [
        f"{split}/{label}/{split}{label}.png" for split in ("train", "val", "test") for label in ("NORMAL", "PNEUMONIA")
    ]
    folder = make_tree(
        *(f"chest_xray/{name}" for name in names),
        *(f"chest_xray/chest_xray/{name}" for name in names),
        *(f"chest_xray/__MACOSX/{name}" for name in names),
    )
    tree = find_tree(folder)
    assert tree.base == folder / "chest_xray"
    assert len(tree.folders) == 6
    assert all(path.parent.parent == folder / "chest_xray" for _, _, path in tree.folders)
    assert [item.path for item in tree.ignored] == [str(folder / "chest_xray" / "chest_xray")]


def test_only_the_inner_copy_is_used_when_the_outer_is_a_wrapper(make_tree):
    folder = make_tree("chest_xray/chest_xray/train/NORMAL/a.png", "chest_xray/chest_xray/train/PNEUMONIA/b.png")
    assert find_tree(folder).base == folder / "chest_xray" / "chest_xray"


def test_masks_beside_the_images_are_no_class(make_tree):
    folder = make_tree("NORMAL/a.png", "PNEUMONIA/b.png", "masks/a.png")
    assert found(folder) == [("", "NORMAL"), ("", "PNEUMONIA")]


def test_class_folders_may_have_a_folder_per_patient(make_tree):
    folder = make_tree("edema/p1/a.png", "edema/p2/b.png", "effusion/p3/c.png")
    assert found(folder) == [("", "edema"), ("", "effusion")]


def test_one_image_folder_is_one_class(make_tree):
    assert found(make_tree("NORMAL/a.png")) == [("", "NORMAL")]


def test_several_datasets_are_named(make_tree):
    folder = make_tree("first/NORMAL/a.png", "first/SICK/b.png", "second/train/x/c.png", "second/train/y/d.png")
    with pytest.raises(DataError, match="holds several datasets: .*first, .*second. Name one of them"):
        find_tree(folder)


def test_images_without_class_folders_are_refused(make_tree, tmp_path):
    make_tree("flat/a.png", "split/train/a.png", "split/test/b.png")
    with pytest.raises(DataError, match="one folder per class. .*flat holds images but no class folders"):
        find_tree(tmp_path / "flat")
    with pytest.raises(DataError, match=r"one folder per class. .*split/test holds images but no class"):
        find_tree(tmp_path / "split")


def test_folder_without_images_names_the_kaggle_set_and_the_phantoms(tmp_path):
    (tmp_path / "README.md").write_text("nothing here")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"paultimothymooney/chest-xray-pneumonia .*train.NORMAL.*medxray data phantom"):
        find_tree(tmp_path)


def test_system_files_are_passed_over(make_tree):
    folder = make_tree("NORMAL/a.png", "NORMAL/sub/b.png")
    for name in (".DS_Store", "Thumbs.db", "._a.png", "desktop.ini"):
        (folder / "NORMAL" / name).write_bytes(b"x")
    listing = class_files(folder / "NORMAL")
    assert [file.name for file in listing.files] == ["a.png", "b.png"]
    assert listing.system_files == 4


def test_links_in_a_circle_end(make_tree):
    folder = make_tree("NORMAL/a.png", "SICK/b.png")
    os.symlink(folder, folder / "NORMAL" / "loop")
    assert [file.name for file in class_files(folder / "NORMAL").files] == ["a.png"]
    assert found(folder) == [("", "NORMAL"), ("", "SICK")]


def test_images_are_seen_without_an_extension(make_tree, write_image, tmp_path):
    write_image(tmp_path / "a" / "x.png")
    write_image(tmp_path / "b" / "y.jpg")
    (tmp_path / "a" / "x.png").rename(tmp_path / "a" / "x")
    (tmp_path / "b" / "y.jpg").rename(tmp_path / "b" / "y")
    assert found(tmp_path) == [("", "a"), ("", "b")]
