"""Small pictures of image files."""

import base64
import errno
import struct

import cv2
import numpy as np
import pytest

from medxray.data.images import thumbnails
from medxray.data.images.thumbnails import jpeg_data, read_thumbnail
from medxray.errors import ImageError, ReadError


def test_longest_side_is_bounded_and_the_shape_kept(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((200, 400), 90, np.uint8))
    small = read_thumbnail(tmp_path / "a.png")
    assert small.shape == (48, 96) and (small == 90).all()


def test_small_pictures_are_not_enlarged(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((20, 30), 90, np.uint8))
    assert read_thumbnail(tmp_path / "a.png").shape == (20, 30)


def test_colour_stays_in_rgb_order(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((20, 20, 3), (10, 20, 200), np.uint8))  # blue, green, red
    assert read_thumbnail(tmp_path / "a.png")[0, 0].tolist() == [200, 20, 10]


def test_sixteen_bits_are_scaled_by_their_content(tmp_path):
    pixels = np.linspace(100, 4095, 400).astype(np.uint16).reshape(20, 20)
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    small = read_thumbnail(tmp_path / "a.png")
    assert small.min() == 0 and small.max() == 255


def test_tiff_is_read_too(tmp_path):
    cv2.imwrite(str(tmp_path / "a.tiff"), np.full((20, 20), 77, np.uint8))
    assert (read_thumbnail(tmp_path / "a.tiff") == 77).all()


@pytest.mark.parametrize("width", [500, 1000, 2000])
def test_large_jpeg_looks_as_when_read_in_full(tmp_path, width):
    ramp = np.tile(np.linspace(0, 255, width).astype(np.uint8), (width // 2, 1))
    cv2.imwrite(str(tmp_path / "a.jpeg"), ramp)
    expected = cv2.resize(ramp, (96, 48), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(read_thumbnail(tmp_path / "a.jpeg").astype(int), expected, atol=4)


def test_base64_is_that_of_a_jpeg():
    rgb = np.full((16, 16, 3), (200, 20, 10), np.uint8)
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(jpeg_data(rgb)), np.uint8), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_allclose(decoded.astype(int), rgb, atol=6)
    grey = base64.b64decode(jpeg_data(np.full((16, 16), 9, np.uint8)))
    assert grey[:2] == b"\xff\xd8"


def test_what_cannot_be_read_has_a_reason(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8))
    (tmp_path / "half.png").write_bytes((tmp_path / "a.png").read_bytes()[:200])
    (tmp_path / "text.png").write_text("no image")
    reasons = {"gone.png": "No such file", "text.png": "not an image", "half.png": "truncated or damaged"}
    for name, reason in reasons.items():
        with pytest.raises(ImageError, match=reason):
            read_thumbnail(tmp_path / name)


@pytest.mark.parametrize("error", [MemoryError(), ValueError("x"), struct.error("x"), OSError(errno.EIO, "x")])
def test_what_is_not_in_the_bytes_is_no_damage_and_names_the_file(tmp_path, monkeypatch, error):
    def broken(file, info, channels):
        raise error

    cv2.imwrite(str(tmp_path / "a.tiff"), np.full((20, 20), 77, np.uint8))
    monkeypatch.setattr(thumbnails.images, "decode_pixels", broken)
    with pytest.raises(ReadError, match="a.tiff: "):
        read_thumbnail(tmp_path / "a.tiff")
