"""Cells of a CSV that say in another way which file they mean."""

import unicodedata

import pytest

from medxray.data.layouts.find_image import ImageFinder
from medxray.data.layouts.sources import load_manifest
from medxray.errors import ConfigError

FILES = (
    "images_001/images/00000001_000.png",
    "images_002/images/00000002_000.png",
    "train/patient00001/study1/view1_frontal.jpg",
    "train/patient00002/study1/view1_frontal.jpg",
    "files/p10/p10000032/s50414267/02aa804e.jpg",
    "files/p10/p10000032/s50414267/174413ec.jpg",
    "images_001/masks/00000002_000.png",
)


@pytest.fixture
def finder(make_tree):
    return ImageFinder(make_tree(*FILES))


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        (FILES[0], 0),
        ("00000002_000.png", 1),
        ("00000002_000", 1),
        ("00000002_000.dcm", 1),
        ("images_002\\images\\00000002_000.png", 1),
        ("C:\\Users\\me\\images_002\\images\\00000002_000.png", 1),
        ("/old/place/00000002_000.png", 1),
        ("CheXpert-v1.0-small/train/patient00002/study1/view1_frontal.jpg", 3),
        ("other/patient00001/study1/view1_frontal.jpg", 2),
        (" 02aa804e ", 4),
        ("IMAGES_002\\IMAGES\\00000002_000.PNG", 1),
        ("02AA804E", 4),
        ("02aa804e_image", 4),
    ],
)
def test_a_file_is_found_by_path_name_or_stem(finder, tmp_path, cell, place):
    assert finder.find(cell) == ([tmp_path / FILES[place]], "")


def test_a_name_that_several_files_have_is_not_guessed(finder):
    found, reason = finder.find("view1_frontal.jpg")
    assert found == [] and "2 files below" in reason and "write the path" in reason


def test_of_copies_of_a_file_the_first_is_meant(finder, tmp_path):
    copy = tmp_path / "train" / "copy" / "00000001_000.png"
    copy.parent.mkdir()
    copy.write_bytes((tmp_path / FILES[0]).read_bytes())
    assert finder.find("00000001_000.png") == ([tmp_path / FILES[0]], "")
    copy.write_bytes(copy.read_bytes() + b"x")
    assert "2 files below" in ImageFinder(tmp_path).find("00000001_000.png")[1]


@pytest.mark.parametrize("cell", ["50414267", "s50414267", "p10/s50414267", "p10000032", "s50414267_study"])
def test_a_study_means_all_its_images(finder, tmp_path, cell):
    assert finder.find(cell)[0] == [tmp_path / FILES[4], tmp_path / FILES[5]]


@pytest.mark.parametrize("cell", ["none.png", "..", "/", "a/../../b.png", "x" * 5000, "nul\0byte.png"])
def test_what_is_nowhere_is_told_with_the_folder_that_paths_count_from(finder, tmp_path, cell):
    found, reason = finder.find(cell)
    assert found == [] and reason == f"there is no such file below {tmp_path}, the folder that paths count from"


def test_a_name_is_found_however_its_accents_are_written(make_tree, tmp_path):
    make_tree(unicodedata.normalize("NFD", "deep/é.png"))
    assert len(ImageFinder(tmp_path).find(unicodedata.normalize("NFC", "é.png"))[0]) == 1


def test_a_name_with_points_has_no_extension(make_tree, tmp_path):
    make_tree("deep/1.2.840.113.png", "deep/1.2.840.114.png")
    assert ImageFinder(tmp_path).find("1.2.840.114")[0] == [tmp_path / "deep/1.2.840.114.png"]


def test_a_name_with_blanks_at_its_ends_is_taken_as_it_is(make_tree, tmp_path):
    make_tree(" a.png", "a.png")
    assert ImageFinder(tmp_path).find(" a.png")[0] == [tmp_path / " a.png"]


def test_paths_count_from_the_image_root(make_tree, tmp_path):
    make_tree("pictures/0.png", "pictures/1.png", "tables/0.png")
    (tmp_path / "tables" / "t.csv").write_text("file,finding\n0.png,NORMAL\n1,PNEUMONIA\n")
    columns = {"path_col": "file", "label_col": "finding"}
    manifest = load_manifest(tmp_path / "tables" / "t.csv", image_root=tmp_path / "pictures", **columns)
    assert manifest.root == tmp_path / "pictures" and manifest.table["path"].tolist() == ["0.png", "1.png"]
    with pytest.raises(ConfigError, match="--image-root must be a folder. Received '.*none'"):
        load_manifest(tmp_path / "tables" / "t.csv", image_root=tmp_path / "none", **columns)
