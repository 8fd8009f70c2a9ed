import os

import pytest

from medxray.data.images.files import ImageBytes, first_bytes, identify, looks_like_image
from medxray.data.images.other_kinds import is_other_picture
from medxray.errors import ImageError


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<!DOCTYPE html>\n<html><body>404 Not Found</body></html>", "a web page, not an image"),
        (b"\n  <HTML><HEAD>", "a web page, not an image"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "Git LFS pointer, .* git lfs pull"),
        (bytes(500), "begins with zeros"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG is not supported"),
        (b"<?xml version='1.0'?><svg/>", "SVG is not supported"),
        (b"P5\n20 12\n255\n" + bytes(240), "a PNM file is not supported"),
        (b"\xff\x0a" + bytes(50), "JPEG XL is not supported"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "JPEG XL is not supported"),
        (b"8BPS\0\x01" + bytes(50), "a Photoshop file is not supported"),
        (b"\x93NUMPY" + bytes(50), "a NumPy array is not supported"),
        (b"\0\x05\x16\x07\0\x02\0\0Mac OS X", "a companion file of macOS"),
        (b"\x1f\x8b\x08" + bytes(50), "gzip is not supported"),
    ],
)
def test_what_is_no_image_is_named(content, reason):
    with pytest.raises(ImageError, match=reason):
        identify(ImageBytes("x.png", content))


def test_pictures_of_other_formats_are_pictures_and_texts_are_none():
    for head in (b"8BPS\0\x01", b"P5\n20 12\n", b"P6 20 12 255 ", b"\xff\x0a\0"):
        assert is_other_picture(head)
    for head in (b"", b"P5,P6\n", b"Patient,label\n", b"<html>"):
        assert not is_other_picture(head)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "IM0001")
    os.mkfifo(tmp_path / "x.png")
    assert first_bytes(tmp_path / "IM0001") == b""
    assert not looks_like_image(tmp_path / "IM0001")
    assert looks_like_image(tmp_path / "x.png")


def test_the_index_of_a_medium_is_no_image(tmp_path):
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(100))
    assert not looks_like_image(tmp_path / "DICOMDIR")
