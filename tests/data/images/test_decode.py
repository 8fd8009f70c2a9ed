import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from medxray.data.images import decode
from medxray.data.images.files import read_pixels

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


def deep_picture(*, hot=0):
    """12-bit content in 16 bits, as detectors give it; `hot` pixels are far brighter, and two are far darker."""
    deep = 1000 + ramp().astype(np.uint16) * 8
    deep.flat[:hot] = 65535
    deep.flat[-2:] = 0
    return deep


def decode_png(pixels):
    return decode.decode(tf.constant(encode(Image.fromarray(pixels), "PNG")), SIZE, 1).numpy()[..., 0]


def test_sixteen_bit_png_is_scaled_by_the_percentiles_of_its_content():
    deep = deep_picture()
    low, high = np.percentile(deep, [0.5, 99.5], method="inverted_cdf").astype(float)
    expected = np.clip((deep - low) * (255.0 / (high - low)), 0, 255)
    np.testing.assert_allclose(decode_png(deep), expected, atol=1e-3)


def test_a_marker_does_not_darken_a_sixteen_bit_png():
    marked, plain = decode_png(deep_picture(hot=25)), decode_png(deep_picture())  # 0.4 % of the pixels
    assert np.abs(marked - plain).ravel()[25:].max() < 10  # 230 by the greatest sample
    assert (marked.ravel()[:25] == 255).all()


@pytest.mark.parametrize("pixels", [deep_picture(hot=25), deep_picture(hot=1)[:3, :5], np.full((9, 9), 700, np.uint16)])
def test_png_and_tiff_of_the_same_sixteen_bits_are_the_same(pixels, tmp_path):
    (tmp_path / "x.tif").write_bytes(encode(Image.fromarray(pixels), "TIFF"))
    np.testing.assert_allclose(decode_png(pixels), read_pixels(tmp_path / "x.tif", 1)[..., 0], atol=1e-4)


def test_a_picture_of_one_value_with_a_few_others_keeps_its_range():
    deep = np.full((64, 64), 500, np.uint16)
    assert (decode_png(deep) == 0).all()
    deep[0, :3] = 4000
    assert np.unique(decode_png(deep)).tolist() == [0, 255]


def test_jpeg_is_decoded_by_the_accurate_transform():
    noise = np.random.default_rng(0).integers(0, 256, (64, 96), dtype=np.uint8)
    content = encode(Image.fromarray(noise), "JPEG", quality=90)
    exact = tf.io.decode_jpeg(content, channels=1, dct_method="INTEGER_ACCURATE").numpy()
    assert not np.array_equal(exact, tf.io.decode_jpeg(content, channels=1, dct_method="INTEGER_FAST").numpy())
    found = decode.decode(tf.constant(content), (64, 96), 1).numpy()
    np.testing.assert_array_equal(found, exact)


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
