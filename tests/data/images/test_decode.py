import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from medxray.data.images import decode

SIZE = (32, 48)


def ramp(height=64, width=96):
    return np.add.outer(np.arange(height) * 2, np.arange(width)).astype(np.uint8)


def encode(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def run(content, channels=1, mode="stretch", size=SIZE):
    return decode.resize(decode.decode(tf.constant(content), size, channels), size, mode).numpy()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P"])
def test_every_png_colour_type_gives_the_same_grey(mode):
    grey = Image.fromarray(ramp())
    image = grey.convert("P", palette=Image.Palette.ADAPTIVE, colors=256) if mode == "P" else grey.convert(mode)
    assert np.array_equal(run(encode(image, "PNG")), run(encode(grey, "PNG")))


def test_sixteen_bit_png_is_scaled_by_its_content_range():
    deep = ramp().astype(np.uint16) * 16  # 12-bit content, as detectors give it
    lowest, highest = deep.min(), deep.max()
    expected = (deep - lowest) * (255.0 / (highest - lowest))
    found = decode.decode(tf.constant(encode(Image.fromarray(deep), "PNG")), SIZE, 1).numpy()[..., 0]
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_cmyk_jpeg_is_read_as_its_grey_content(channels):
    grey = Image.fromarray(ramp())
    found = run(encode(grey.convert("CMYK"), "JPEG", quality=95), channels).astype(int)
    assert found.shape == (*SIZE, channels)
    assert np.abs(found - run(encode(grey, "PNG"), channels)).max() <= 6


def test_colour_becomes_bt601_luma():
    red = Image.new("RGB", (96, 64), (200, 0, 0))
    assert np.unique(run(encode(red, "PNG"))) == [round(0.299 * 200)]


def test_reduced_scale_jpeg_agrees_with_the_full_one():
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 255, (16, 16), dtype=np.uint8)).resize(
        (1024, 1024), Image.Resampling.BICUBIC
    )
    content = encode(smooth, "JPEG", quality=95)
    full = tf.cast(tf.io.decode_jpeg(content, channels=1), tf.float32)
    expected = decode.resize(full, (64, 64), "stretch").numpy().astype(int)
    assert decode.decode(tf.constant(content), (64, 64), 1).shape == (128, 128, 1)  # an eighth, twice the target
    assert np.abs(run(content, size=(64, 64)).astype(int) - expected).max() <= 3


def test_letterbox_keeps_the_aspect_ratio_and_pads_with_black():
    white = Image.new("L", (100, 50), 255)
    found = run(encode(white, "PNG"), mode="letterbox", size=(32, 32))[..., 0]
    assert (found[8:24] == 255).all() and (found[:8] == 0).all() and (found[24:] == 0).all()
    assert [int(value) for value in decode.letterbox_box(tf.constant([50, 100]), (32, 32))] == [8, 0, 16, 32]


def test_letterbox_of_a_sliver_keeps_at_least_one_pixel():
    assert [int(value) for value in decode.letterbox_box(tf.constant([1, 5000]), (32, 32))] == [15, 0, 1, 32]


def test_damaged_bytes_are_an_invalid_argument():
    half = encode(Image.fromarray(ramp(200, 200)), "JPEG")
    for content in (half[: len(half) // 3], b"no image", b""):
        with pytest.raises(tf.errors.InvalidArgumentError):
            run(content)
