import gzip
import os

import pytest

from medxray.data.layouts.pictures import is_picture, looks_like_picture

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.mark.parametrize(
    ("name", "content", "alike", "picture"),
    [
        ("x.png", b"", True, True),
        ("x.jfif", b"<html>", True, True),
        ("x.JPE", b"", True, True),
        ("x.pgm", b"P5 2 2 255 abcd", True, True),
        ("x", b"8BPS\0\x01", True, True),
        ("x.jxl", b"", True, True),
        ("x.dcm.gz", gzip.compress(b"x", mtime=0), True, True),
        ("x.nii.gz", gzip.compress(b"x", mtime=0), True, True),
        ("x.csv.gz", gzip.compress(b"x", mtime=0), False, True),
        ("x.zip", b"PK\x03\x04", False, True),
        ("x.npy", b"\x93NUMPY", False, True),
        ("x.csv", b"path,label\n", False, False),
        ("x.txt", PNG, True, False),
        ("README", b"hello", False, False),
    ],
)
def test_what_counts_as_a_picture(tmp_path, name, content, alike, picture):
    (tmp_path / name).write_bytes(content)
    assert (looks_like_picture(tmp_path / name), is_picture(tmp_path / name)) == (alike, picture)


def test_a_pipe_is_no_picture_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "IM0001")
    assert not is_picture(tmp_path / "IM0001")
