import os
from pathlib import Path

import pytest

from medxray.data.layouts.labels import parse_label_map
from medxray.errors import ConfigError, DataError
from medxray.predict.inputs import expand_inputs, path_text


@pytest.fixture
def folder(tmp_path):
    for name in ("b.png", "a.JPG", "notes.txt", "deep/c.dcm", ".hidden/d.png", "__MACOSX/e.png"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("x")
    return tmp_path


def test_folders_are_searched_for_image_names_in_a_fixed_order(folder):
    assert [file.relative_to(folder).as_posix() for file in expand_inputs([folder])] == ["a.JPG", "b.png", "deep/c.dcm"]


def test_images_are_recognised_by_content_whatever_their_name(folder):
    header = "89504e470d0a1a0a0000000d49484452000000080000000808000000003be45bdf"
    (folder / "IM0001").write_bytes(bytes.fromhex(header))
    names = [file.relative_to(folder).as_posix() for file in expand_inputs([folder])]
    assert names == ["IM0001", "a.JPG", "b.png", "deep/c.dcm"]


def test_a_damaged_image_without_an_ending_is_listed_so_that_reading_says_what_is_wrong(folder):
    (folder / "IM0002").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "table").write_text("BMI,age\n")
    assert [file.name for file in expand_inputs([folder])] == ["IM0002", "a.JPG", "b.png", "c.dcm"]


def test_an_empty_name_does_not_mean_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(DataError, match="An empty name was given"):
        expand_inputs(["b.png", ""])
    assert len(expand_inputs(["."])) == 3


def test_paths_may_come_from_a_generator(folder):
    assert expand_inputs(folder.glob("*.png")) == [folder / "b.png"]
    with pytest.raises(DataError, match="An empty name was given"):
        expand_inputs(name for name in ("b.png", ""))


def test_each_file_comes_once_and_missing_ones_stay(folder):
    files = expand_inputs([folder / "b.png", str(folder / "*.png"), folder / "nothing.png"])
    assert files == [folder / "b.png", folder / "nothing.png"]


def test_empty_folder_and_empty_pattern_are_errors(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no image"):
        expand_inputs([tmp_path / "empty"])
    with pytest.raises(DataError, match="holds no image"):
        expand_inputs([tmp_path / "empty"] * 2)
    with pytest.raises(DataError, match="matches no file"):
        expand_inputs([str(Path(folder) / "*.bmp")])


def test_beside_other_inputs_an_empty_folder_and_pattern_stay_to_be_told_of(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    given = [tmp_path / "empty", folder / "b.png", str(folder / "*.bmp")]
    assert expand_inputs(given) == [Path(path) for path in given]


def test_path_text_is_valid_unicode_whatever_the_bytes():
    assert path_text(Path("a/é.png")) == "a/é.png"
    assert path_text(os.fsdecode(b"a/\xff.png")) == r"a/\xff.png"


def test_path_text_is_one_line_and_cannot_steer_a_terminal():
    assert path_text(Path("a/b\nc\x1b[2J\u2028.png")) == r"a/b\nc\x1b[2J\u2028.png"
    assert path_text(Path("a/non\u200djoined.png")) == "a/non\u200djoined.png"


def test_label_maps_are_read_and_bad_ones_refused():
    assert parse_label_map(" a = B,c d=D") == {"a": "B", "c d": "D"} and parse_label_map(None) is None
    for text in ("a", "a=", "=B", "a=B=C", "a=B,", "a=B,a=C"):
        with pytest.raises(ConfigError, match="--label-map must be label=CLASS"):
            parse_label_map(text)


def test_other_files_of_a_folder_are_counted_and_unreadable_subfolders_named(tmp_path, caplog):
    import logging
    import os

    import cv2
    import numpy as np

    for name in ("a.png", "deep/b.png", "masks/m.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8), np.uint8))
    for name in ("README.txt", "labels.csv"):
        (tmp_path / name).write_text("text")
    (tmp_path / "round").symlink_to(tmp_path, target_is_directory=True)
    with caplog.at_level(logging.INFO, logger="medxray"):
        found = expand_inputs([tmp_path])
    assert [os.path.relpath(file, tmp_path) for file in found] == ["a.png", os.path.join("deep", "b.png")]
    assert "2 files that are no images are passed over, such as README.txt" in caplog.text
    assert "1 files that are masks are passed over, such as m.png" in caplog.text
    assert "round: a link to" in caplog.text and "1 of 5 files are left out" in caplog.text


def test_pictures_of_formats_that_are_not_read_stay_to_be_told_of_and_pipes_are_not_waited_for(tmp_path, caplog):
    import os

    pictures = ("a.png", "b.jxl", "c.pgm", "d.jfif", "e.dcm.gz", "f")
    for name in pictures:
        (tmp_path / name).write_bytes(b"8BPS\0\x01" if name == "f" else b"<html>")
    for name in ("DICOMDIR", "archive.zip", "vectors.npy", "list.csv.gz"):
        (tmp_path / name).write_bytes(bytes(128) + b"DICM" if name == "DICOMDIR" else b"text")
    os.mkfifo(tmp_path / "pipe")
    with caplog.at_level("INFO", logger="medxray"):
        assert expand_inputs([tmp_path]) == [tmp_path / name for name in pictures]
    assert "5 files that are no images are passed over, such as DICOMDIR" in caplog.text


def test_a_name_longer_than_a_file_may_have_stays_to_be_told_of_beside_others(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    names = [tmp_path / "a.png", "x" * 5000, "[" * 5000]
    assert expand_inputs(names[:2]) == [tmp_path / "a.png", Path("x" * 5000)]
    assert expand_inputs(names)[-1] == Path("[" * 5000)


def test_a_pattern_for_all_depths_follows_no_loop_of_links(tmp_path, monkeypatch):
    for name in ("a.png", "deep/b.png", "deep/er/c.png", ".hidden/d.png", "__MACOSX/._a.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    for place in (tmp_path, tmp_path / "deep", tmp_path / "deep" / "er"):
        os.symlink(tmp_path, place / "up")
        os.symlink(".", place / "self")
    wanted = [tmp_path / name for name in ("a.png", "deep/b.png", "deep/er/c.png")]
    assert expand_inputs([tmp_path / "**" / "*.png"]) == wanted
    assert expand_inputs([tmp_path / "**"]) == wanted
    assert expand_inputs([tmp_path / "d*" / "**" / "*.png"]) == wanted[1:]
    monkeypatch.chdir(tmp_path)
    assert expand_inputs(["**/*.png"]) == [file.relative_to(tmp_path) for file in wanted]
