import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from medxray.data.images.files import identify, read_pixels
from medxray.errors import ImageError

GREY = np.random.default_rng(0).integers(0, 256, (12, 20), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (12, 20, 3), dtype=np.uint8)


def tiff(pixels, photometric, *, extra=None, planar=1, fmt=1, pages=1, palette=None, orientation=None, more=()):
    """An uncompressed little-endian TIFF, written by hand."""
    height, width = pixels.shape[:2]
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    bits = pixels.dtype.itemsize * 8
    body = (pixels if planar == 1 or samples == 1 else np.moveaxis(pixels, 2, 0)).tobytes()
    tail = b""
    tags = [(256, 4, 1, width), (257, 4, 1, height), (259, 3, 1, 1), (262, 3, 1, photometric), (277, 3, 1, samples)]

    def far(code, kind, values):
        nonlocal tail
        letter = {3: "H", 4: "I"}[kind]
        packed = struct.pack(f"<{len(values)}{letter}", *values)
        if len(packed) <= 4:
            return code, kind, len(values), int.from_bytes(packed.ljust(4, b"\0"), "little")
        tail += packed
        return code, kind, len(values), 8 + len(body) + len(tail) - len(packed)

    planes = samples if planar == 2 else 1
    tags.append(far(258, 3, [bits] * samples))
    tags.append(far(273, 4, [8 + n * len(body) // planes for n in range(planes)]))
    tags.append(far(279, 4, [len(body) // planes] * planes))
    tags += [(278, 4, 1, height), (284, 3, 1, planar), (339, 3, 1, fmt)]
    tags = [tag for tag in tags if tag[0] not in dict(more)] + [(code, 3, 1, value) for code, value in more]
    tags += [(338, 3, 1, extra)] if extra is not None else []
    tags += [(274, 3, 1, orientation)] if orientation is not None else []
    tags += [far(320, 3, palette)] if palette is not None else []
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    start = 8 + len(body) + len(tail)
    following = start + len(directory) + 4 if pages > 1 else 0
    return (
        b"II*\0"
        + struct.pack("<I", start)
        + body
        + tail
        + directory
        + struct.pack("<I", following)
        + (directory + bytes(4) if pages > 1 else b"")
    )


@pytest.fixture
def read(tmp_path):
    """Function (bytes, channels) -> pixels of a TIFF."""

    def pixels(content, channels):
        (tmp_path / "x.tif").write_bytes(content)
        return read_pixels(tmp_path / "x.tif", channels)

    return pixels


def test_grey_and_colour_keep_their_values(read):
    np.testing.assert_array_equal(read(tiff(GREY, 1), 1)[..., 0], GREY)
    np.testing.assert_array_equal(read(tiff(GREY, 1), 3)[..., 2], GREY)
    np.testing.assert_array_equal(read(tiff(COLOUR, 2), 3), COLOUR)
    np.testing.assert_array_equal(read(tiff(COLOUR, 2, planar=2), 3), COLOUR)
    np.testing.assert_allclose(read(tiff(COLOUR, 2), 1)[..., 0], COLOUR @ [0.299, 0.587, 0.114], rtol=1e-5)


def test_white_is_zero_is_inverted_at_both_depths(read):
    np.testing.assert_array_equal(read(tiff(GREY, 0), 1)[..., 0], 255 - GREY)
    deep = GREY.astype(np.uint16) * 16
    np.testing.assert_allclose(read(tiff(deep, 0), 1)[..., 0], 255 - read(tiff(deep, 1), 1)[..., 0], atol=1e-3)


def test_few_samples_of_sixteen_bits_are_scaled_by_their_range(read):
    deep = np.array([[100, 200], [300, 4100]], np.uint16)
    np.testing.assert_allclose(read(tiff(deep, 1), 1)[..., 0], (deep - 100.0) * 255 / 4000, rtol=1e-6)
    rgb = np.dstack([deep, deep + 1, deep])
    np.testing.assert_allclose(read(tiff(rgb, 2), 3), (rgb - 100.0) * 255 / 4001, rtol=1e-6)
    flat = np.full((2, 2), 700, np.uint16)
    assert (read(tiff(flat, 1), 1) == 0).all()


@pytest.mark.parametrize("photometric", [0, 1])
def test_signed_sixteen_bits_are_read_as_their_shifted_twins(read, photometric):
    signed = np.array([[-300, -1, 0, 1, 5000]], np.int16)
    shifted = (signed.astype(np.int32) + 32768).astype(np.uint16)
    found = read(tiff(signed, photometric, fmt=2), 1)
    np.testing.assert_array_equal(found, read(tiff(shifted, photometric), 1))
    assert found.ravel()[0] == (0 if photometric else 255)


@pytest.mark.parametrize("pixels", [GREY, GREY.astype(np.uint16) * 9, COLOUR])
@pytest.mark.parametrize("orientation", [2, 3, 4, 5, 6, 7, 8, 9, 0])
def test_orientation_tags_are_told_and_not_applied(read, tmp_path, pixels, orientation):
    photometric = 1 if pixels.ndim == 2 else 2
    expected = read(tiff(pixels, photometric), 3)
    np.testing.assert_array_equal(read(tiff(pixels, photometric, orientation=orientation), 3), expected)
    assert identify(tmp_path / "x.tif").orientation == (orientation if 1 <= orientation <= 8 else 1)


def test_transparency_is_dropped(read):
    opaque, half = np.full_like(GREY, 255), np.full_like(GREY, 128)
    np.testing.assert_array_equal(read(tiff(np.dstack([COLOUR, opaque]), 2, extra=2), 3), COLOUR)
    np.testing.assert_allclose(read(tiff(np.dstack([COLOUR, half]), 2, extra=2), 3), COLOUR, atol=2)
    np.testing.assert_array_equal(read(tiff(np.dstack([GREY, half]), 1, extra=2), 1)[..., 0], GREY)


def test_cmyk_becomes_rgb(read):
    ink = np.zeros((1, 3, 4), np.uint8)
    ink[0, 0], ink[0, 1], ink[0, 2] = (255, 0, 0, 0), (0, 0, 0, 255), (0, 0, 0, 0)
    np.testing.assert_array_equal(read(tiff(ink, 5), 3)[0], [[0, 255, 255], [0, 0, 0], [255, 255, 255]])


def test_palette_gives_its_colours(read):
    palette = np.zeros((3, 256), int)
    palette[:, 1], palette[:, 2] = (65535, 0, 0), (0, 0, 65535)
    content = tiff(np.array([[1, 2, 0]], np.uint8), 3, palette=palette.ravel().tolist())
    np.testing.assert_array_equal(read(content, 3)[0], [[255, 0, 0], [0, 0, 255], [0, 0, 0]])


@pytest.mark.parametrize("compression", [5, 32773, 8])
def test_compressed_files_are_read(read, compression):
    content = cv2.imencode(".tiff", GREY, [cv2.IMWRITE_TIFF_COMPRESSION, compression])[1].tobytes()
    np.testing.assert_array_equal(read(content, 1)[..., 0], GREY)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (tiff(GREY, 1, pages=2), "several pages"),
        (tiff(GREY.astype(np.float32), 1, fmt=3), "floating-point 32 bits is not supported"),
        (tiff(GREY.astype(np.int8), 1, fmt=2), "signed 8 bits is not supported"),
        (tiff(GREY.astype(np.int32), 1, fmt=2), "signed 32 bits is not supported"),
        (tiff(COLOUR.astype(np.uint16), 2, planar=2), "separate planes"),
        (tiff(np.dstack([GREY, GREY]).astype(np.uint16), 1, extra=2), "grey with alpha"),
        (tiff(GREY, 1, more=[(259, 34712)]), "JPEG 2000 compression is not supported"),  # OpenCV makes it black
        (tiff(GREY, 1, more=[(259, 50000)]), "Zstandard compression is not supported"),
        (tiff(GREY, 1, more=[(259, 12345)]), "number 12345 compression is not supported"),
        (tiff(COLOUR, 8), "colours of kind 8 is not supported"),  # CIELAB
        (tiff(np.dstack([COLOUR, GREY]).astype(np.uint16), 5), "a palette or CMYK of 16 bits"),
        (tiff(GREY.astype(np.uint16), 3), "a palette or CMYK of 16 bits"),
        (tiff(GREY, 1, more=[(322, 48), (323, 48)]), "8 bits in tiles of 48x48 pixels"),
    ],
)
def test_unsupported_kinds_say_so(read, content, reason):
    with pytest.raises(ImageError, match=reason):
        read(content, 1)


def test_truncated_file_is_an_error_and_prints_nothing(read, capfd):
    content = tiff(GREY, 1)
    for tag in (257, 278):
        content = content.replace(struct.pack("<HHII", tag, 4, 1, 12), struct.pack("<HHII", tag, 4, 1, 1200))
    with pytest.raises(ImageError, match="truncated or damaged"):
        read(content, 1)
    assert capfd.readouterr().err == ""


SMOOTH = Image.fromarray(np.rint(np.hypot(*np.mgrid[:120, :160])).astype(np.uint8))


def saved(mode, compression):
    stream = io.BytesIO()
    (SMOOTH.convert("RGB").quantize(64) if mode == "P" else SMOOTH.convert(mode)).save(
        stream, "TIFF", compression=compression
    )
    return stream.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "P", "1"])
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"])
def test_damage_inside_compressed_data_is_an_error(read, mode, compression):
    content = saved(mode, compression)
    assert read(content, 3).shape == (120, 160, 3)
    with TiffImageFile(io.BytesIO(content)) as picture:
        start, size = picture.tag_v2[273][0], picture.tag_v2[279][0]
    filler = b"\x80" if compression == "packbits" else b"\xff"  # no data, no code
    damaged = content[: start + 4] + filler * (size - 4) + content[start + size :]
    with pytest.raises(ImageError, match="truncated or damaged"):
        read(damaged, 3)


def test_header_is_read_in_both_byte_orders(tmp_path):
    entries = [(256, 3, 1, 20 << 16), (257, 3, 1, 12 << 16), (258, 3, 1, 8 << 16), (262, 3, 1, 1 << 16)]
    directory = struct.pack(">H", 4) + b"".join(struct.pack(">HHII", *entry) for entry in entries) + bytes(4)
    (tmp_path / "x.tif").write_bytes(b"MM\0*" + struct.pack(">I", 8) + directory)
    info = identify(tmp_path / "x.tif")
    assert (info.width, info.height, info.bits, info.channels) == (20, 12, 8, 1)
