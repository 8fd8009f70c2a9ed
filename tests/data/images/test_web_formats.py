"""WebP, GIF, JPEG 2000 and AVIF."""

import io

import numpy as np
import pytest
from PIL import Image

from medxray.data.images import web_formats
from medxray.data.images.access import ImageBytes
from medxray.data.images.files import identify, looks_like_image, read_pixels
from medxray.data.images.load import load_image
from medxray.data.pipeline import Source
from medxray.errors import ImageError, ReadError

RAMP = np.add.outer(np.arange(40) * 2, np.arange(60)).astype(np.uint8)
FORM = Source((), (32, 32), 1, "letterbox")
FORMATS = {"WEBP": "WebP", "GIF": "GIF", "JPEG2000": "JPEG 2000", "AVIF": "AVIF"}


def encode(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def pixels(content):
    return read_pixels(ImageBytes("x", content), 1)[..., 0]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_each_format_is_read_as_another_decoder_reads_it(kind, mode, tmp_path):
    content = encode(Image.fromarray(RAMP).convert(mode), kind)
    info = identify(ImageBytes("x", content))
    assert (info.format, info.width, info.height, info.bits, info.native) == (FORMATS[kind], 60, 40, 8, False)
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB").convert("L"), float)
    assert np.abs(pixels(content) - expected).max() <= 2 and np.abs(expected - RAMP).max() <= 10
    assert load_image(ImageBytes("x", content), FORM).reason == ""
    (tmp_path / "IM0001").write_bytes(content)
    assert looks_like_image(tmp_path / "IM0001")


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_every_kind_of_webp_tells_its_size(lossless, mode):
    content = encode(Image.fromarray(RAMP).convert(mode), "WEBP", lossless=lossless)
    info = identify(ImageBytes("x", content))
    assert (info.width, info.height) == (60, 40) and pixels(content).shape == (40, 60)


def test_the_first_frame_of_several_is_read():
    frames = [Image.fromarray(RAMP), Image.fromarray(255 - RAMP)]
    for kind in ("GIF", "WEBP"):
        content = encode(frames[0], kind, save_all=True, append_images=frames[1:])
        assert np.abs(pixels(content) - RAMP).max() <= 8


def test_jpeg_2000_of_sixteen_bits_is_scaled_by_percentiles():
    deep = 1000 + RAMP.astype(np.uint16) * 16
    expected = io.BytesIO()
    Image.fromarray(deep).save(expected, "TIFF")
    for options in ({}, {"no_jp2": True}):
        found = pixels(encode(Image.fromarray(deep), "JPEG2000", **options))
        np.testing.assert_allclose(found, pixels(expected.getvalue()), atol=1e-3)


def test_the_orientation_tag_of_a_webp_is_told_and_not_applied():
    tag = Image.Exif()
    tag[274] = 6
    content = encode(Image.fromarray(RAMP), "WEBP", exif=tag.tobytes())
    assert identify(ImageBytes("x", content)).orientation == 6
    assert pixels(content).shape == (40, 60)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_boxes_that_turn_an_avif_are_told_and_not_applied(orientation):
    tag = Image.Exif()
    tag[274] = orientation
    content = encode(Image.fromarray(RAMP), "AVIF", exif=tag.tobytes(), quality=100)
    assert identify(ImageBytes("x", content)).orientation == orientation
    np.testing.assert_allclose(pixels(content), RAMP, atol=2)


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_heic_is_named(brand, tmp_path):
    content = b"\0\0\0\x18ftyp" + brand + bytes(200)
    with pytest.raises(ImageError, match="HEIC is not supported; convert it to PNG"):
        identify(ImageBytes("x", content))
    (tmp_path / "IM0001").write_bytes(content)
    assert looks_like_image(tmp_path / "IM0001")


@pytest.mark.parametrize("kind", FORMATS)
def test_damage_anywhere_is_an_image_error_and_never_a_fault(kind):
    content = encode(Image.fromarray(RAMP), kind)
    rng, refused = np.random.default_rng(0), 0
    for _ in range(150):
        broken = bytearray(content)
        for place in rng.integers(4, min(len(content), 300), 3):
            broken[place] = rng.integers(256)
        try:
            pixels(bytes(broken[: rng.integers(12, len(content) + 1)]))
        except ImageError:
            refused += 1
    assert refused > 20


def test_lack_of_memory_is_no_damage(monkeypatch):
    def run_out(content, flags):
        raise MemoryError

    monkeypatch.setattr(web_formats, "decode_quietly", run_out)
    with pytest.raises(ReadError, match="x: memory ran out"):
        pixels(encode(Image.fromarray(RAMP), "WEBP"))
