import os
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medxray.data.images.files import ImageInfo, identify, read_pixels
from medxray.errors import ImageError


def encoded(suffix, pixels, *flags):
    return cv2.imencode(suffix, pixels, list(flags))[1].tobytes()


@pytest.fixture
def file(tmp_path):
    """Function (bytes) -> path of a file with a misleading extension."""

    def write(content):
        path = tmp_path / "image.dat"
        path.write_bytes(content)
        return path

    return write


GREY = np.arange(12 * 20, dtype=np.uint8).reshape(12, 20)
COLOUR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], -1)
ALPHA = np.dstack([COLOUR, GREY])


@pytest.mark.parametrize(
    ("content", "info"),
    [
        (encoded(".jpeg", GREY), ImageInfo("JPEG", 20, 12, 8, 1, True)),
        (encoded(".jpeg", COLOUR), ImageInfo("JPEG", 20, 12, 8, 3, True)),
        (encoded(".jpeg", COLOUR, cv2.IMWRITE_JPEG_PROGRESSIVE, 1), ImageInfo("JPEG", 20, 12, 8, 3, True)),
        (encoded(".png", GREY), ImageInfo("PNG", 20, 12, 8, 1, True)),
        (encoded(".png", ALPHA), ImageInfo("PNG", 20, 12, 8, 4, True)),
        (encoded(".png", GREY.astype(np.uint16) * 256), ImageInfo("PNG", 20, 12, 16, 1, True)),
        (encoded(".bmp", GREY), ImageInfo("BMP", 20, 12, 8, 1, True)),
        (encoded(".bmp", COLOUR), ImageInfo("BMP", 20, 12, 8, 3, True)),
        (encoded(".bmp", ALPHA), ImageInfo("BMP", 20, 12, 8, 4, True)),
        (encoded(".tiff", GREY), ImageInfo("TIFF", 20, 12, 8, 1, False)),
        (encoded(".tiff", COLOUR.astype(np.uint16) * 9), ImageInfo("TIFF", 20, 12, 16, 3, False)),
    ],
)
def test_format_is_told_by_content_and_not_by_extension(file, content, info):
    assert identify(file(content)) == info


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"patient,label\n", "not an image"),
        (b"\xff\xd8\xff", "ends inside its header"),
        (encoded(".png", GREY)[:20], "ends inside its header"),
        (encoded(".jpeg", GREY)[:30], "ends inside its header"),
        (b"BM" + bytes(8), "ends inside its header"),
        (b"BM" + bytes(60), "the BMP header is damaged"),
        (b"\xff\xd8\xff\xe0\0\0", "damaged segment"),
        (b"\xff\xd8\xff\xd9" + bytes(9), "no frame header"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "PNG header is damaged"),
        (b"II*\0\xff\xff\xff\x7f", "ends inside its header"),
        (b"II*\0\x08\0\0\0" + bytes(20), "TIFF header is damaged"),
        (b"II+\0" + bytes(20), "BigTIFF is not supported"),
        (b"GIF89a" + bytes(20), "the GIF header says 0x0 pixels"),
        (b"RIFF\0\0\0\0WEBPVP8 " + bytes(20), "the WebP header is damaged"),
        (b"%PDF-1.7", "PDF is not supported"),
    ],
)
def test_what_is_no_usable_image_says_why(file, content, reason):
    with pytest.raises(ImageError, match=reason):
        identify(file(content))


def test_decompression_bombs_are_refused_from_the_header(file):
    bomb = bytearray(encoded(".png", GREY))
    bomb[16:24] = struct.pack(">II", 50_000, 50_000)
    with pytest.raises(ImageError, match="50000x50000 pixels, more than the limit of 100 megapixels"):
        identify(file(bytes(bomb)))
    bomb = bytearray(encoded(".jpeg", GREY))
    start = bomb.index(b"\xff\xc0")
    bomb[start + 5 : start + 9] = struct.pack(">HH", 65_000, 65_000)
    with pytest.raises(ImageError, match="65000x65000 pixels, more than the limit"):
        identify(file(bytes(bomb)))


def test_an_image_without_pixels_is_refused(file):
    none = bytearray(encoded(".png", GREY))
    none[16:20] = bytes(4)
    with pytest.raises(ImageError, match="0x12 pixels"):
        identify(file(bytes(none)))


def test_twelve_bit_and_lossless_jpeg_are_refused(file):
    content = bytearray(encoded(".jpeg", GREY))
    start = content.index(b"\xff\xc0")
    content[start + 4] = 12
    with pytest.raises(ImageError, match="JPEG of process 0 with 12 bits is not supported"):
        identify(file(bytes(content)))
    content[start + 1], content[start + 4] = 0xC3, 8
    with pytest.raises(ImageError, match="JPEG of process 3 with 8 bits"):
        identify(file(bytes(content)))


def test_pipes_folders_and_missing_files_are_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, reason in (("pipe", "not a regular file"), ("", "not a regular file"), ("none", "No such file")):
        with pytest.raises(ImageError, match=reason):
            identify(tmp_path / name)


def test_huge_files_are_refused_unread(tmp_path):
    with open(tmp_path / "huge.bmp", "wb") as sparse:
        sparse.write(encoded(".bmp", GREY))
        sparse.truncate(2 << 30)
    with pytest.raises(ImageError, match=r"2.1 GB, more than the limit of 1.1 GB"):
        identify(tmp_path / "huge.bmp")


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from([".png", ".jpeg", ".bmp", ".tiff"]),
    changes=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6),
    length=st.integers(0, 400),
)
def test_damaged_files_raise_image_errors_only(tmp_path_factory, kind, changes, length):
    content = bytearray(encoded(kind, COLOUR))
    for place, value in changes:
        content[place % len(content)] = value
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(bytes(content[: max(length, 1)]) if length % 2 else bytes(content))
    try:
        if not identify(path).native:
            pixels = read_pixels(path, 1)
            assert pixels.dtype == np.float32 and np.isfinite(pixels).all()
    except ImageError as error:
        assert str(error)


def palette_bmp(palette, indices):
    height, width = indices.shape
    row = (width + 3) // 4 * 4
    body = b"".join(bytes(line) + bytes(row - width) for line in indices[::-1])
    colours = b"".join(bytes((*colour[::-1], 0)) for colour in palette)
    offset = 54 + len(colours)
    head = b"BM" + struct.pack("<IHHI", offset + len(body), 0, 0, offset)
    head += struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 0, len(body), 0, 0, len(palette), 0)
    return head + colours + body


def test_palette_bmp_is_read_by_its_colours_and_not_by_its_indices(file):
    indices = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    palette = [(255, 0, 0), (0, 255, 0), (10, 20, 30)]
    path = file(palette_bmp(palette, indices))
    assert identify(path) == ImageInfo("BMP", 3, 2, 8, 3, False)
    np.testing.assert_array_equal(read_pixels(path, 3), np.array(palette, np.float32)[indices])
    luma = np.array([0.299 * 255, 0.587 * 255, 0.299 * 10 + 0.587 * 20 + 0.114 * 30])
    np.testing.assert_allclose(read_pixels(path, 1)[..., 0], luma[indices], rtol=1e-6)


def test_grey_palette_bmp_is_native(file):
    path = file(palette_bmp([(n, n, n) for n in range(256)], GREY[:2, :3]))
    assert identify(path).native


@pytest.mark.parametrize("pixels", [GREY, COLOUR, ALPHA])
def test_a_bmp_with_bytes_behind_its_rows_is_read(file, pixels):
    path = file(encoded(".bmp", pixels) + bytes(2))
    assert not identify(path).native  # TensorFlow refuses it
    expected = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    np.testing.assert_array_equal(read_pixels(path, 3), expected[..., 2::-1])


def test_native_files_are_left_to_tensorflow(file):
    with pytest.raises(ImageError, match="this PNG is decoded by TensorFlow"):
        read_pixels(file(encoded(".png", GREY)), 1)


def exif(orientation, order="<"):
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + struct.pack(order + "HHHIHHI", 1, 274, 3, 1, orientation, 0, 0)


def with_exif(suffix, block):
    content = encoded(suffix, GREY)
    if suffix == ".jpeg":
        data = b"Exif\0\0" + block
        return content[:2] + b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data + content[2:]
    return content[:33] + struct.pack(">I4s", len(block), b"eXIf") + block + bytes(4) + content[33:]


@pytest.mark.parametrize("suffix", [".jpeg", ".png"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_tags_of_exif_are_told(file, suffix, order, orientation):
    assert identify(file(with_exif(suffix, exif(orientation, order)))).orientation == orientation


@pytest.mark.parametrize("suffix", [".jpeg", ".png"])
@pytest.mark.parametrize("block", [b"", b"II", exif(77), exif(6)[:12], b"II*\0" + bytes([255] * 40), b"x" * 30])
def test_a_damaged_exif_block_is_no_error(file, suffix, block):
    info = identify(file(with_exif(suffix, block)))
    assert (info.width, info.height, info.orientation) == (20, 12, 1)
