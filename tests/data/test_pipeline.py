import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

from medxray.data.pipeline import decode_files, read_source

FORM = {"size": (32, 40), "channels": 1, "resize": "stretch"}


@pytest.fixture
def files(tmp_path):
    """One smooth picture in five formats, a text file named .png, a truncated JPEG and a missing file."""
    rng = np.random.default_rng(0)
    picture = cv2.GaussianBlur(rng.integers(0, 255, (80, 100)).astype(np.uint8), (0, 0), 4)
    low, high = np.percentile(picture, [2, 98])
    picture = np.clip((picture - low) * (255 / (high - low)), 0, 255).astype(np.uint8)  # so that 16 bits are not scaled
    for name in ("a.png", "b.bmp", "c.tif", "d.jpg"):
        cv2.imwrite(str(tmp_path / name), picture, [cv2.IMWRITE_JPEG_QUALITY, 98])
    cv2.imwrite(str(tmp_path / "e.png"), picture.astype(np.uint16) * 257)
    (tmp_path / "f.png").write_text("text")
    (tmp_path / "g.jpg").write_bytes((tmp_path / "d.jpg").read_bytes()[:600])
    return [tmp_path / name for name in ("a.png", "b.bmp", "c.tif", "d.jpg", "e.png", "f.png", "g.jpg", "missing.png")]


def test_formats_agree_and_bad_files_are_named_with_reasons(files):
    pixels, failures = decode_files(files, **FORM)
    assert pixels.shape == (8, 32, 40, 1) and pixels.dtype == np.uint8
    for row in (1, 2, 4):
        assert np.abs(pixels[row].astype(int) - pixels[0]).max() <= 1
    assert np.abs(pixels[3].astype(int) - pixels[0]).max() <= 8  # JPEG loses a little
    assert sorted(failures) == [5, 6, 7] and all(failures.values())
    assert "truncated or damaged" in failures[6] and "No such file" in failures[7]
    assert not pixels[5:].any()


def test_images_are_the_same_kept_in_memory_or_decoded_when_asked(files):
    good = files[:5]
    kept, _ = read_source(good, **FORM)
    streamed, _ = read_source(good, limit=0, **FORM)
    assert kept.pixels is not None and streamed.pixels is None
    order = [3, 0, 4]
    for source in (kept, streamed):
        found = np.stack(list(source.dataset(order).as_numpy_iterator()))
        assert np.array_equal(found, kept.pixels[order])


def test_stream_gives_batches_with_reasons_in_order(files):
    source, _ = read_source(files, limit=0, **FORM)
    batches = list(source.stream(3))
    assert [len(batch.pixels) for batch in batches] == [3, 3, 2]
    reasons = [reason for batch in batches for reason in batch.reasons]
    assert [bool(reason) for reason in reasons] == [False] * 5 + [True] * 3


def test_a_file_that_vanishes_while_training_is_an_error_and_no_black_image(files):
    source, _ = read_source(files[:2], limit=0, **FORM)
    files[1].unlink()
    with pytest.raises(tf.errors.UnknownError, match="b.bmp: it cannot be read any more: No such file"):
        list(source.dataset([0, 1]).as_numpy_iterator())


def test_names_in_any_encoding_are_read(files):
    odd = Path(os.fsdecode(os.fsencode(files[0].parent) + b"/\xff\xfe.png"))
    odd.write_bytes(files[0].read_bytes())
    pixels, failures = decode_files([odd, files[0]], **FORM)
    assert failures == {} and np.array_equal(pixels[0], pixels[1])


def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    _, failures = decode_files([tmp_path / "pipe.png", Path("/dev/zero"), tmp_path], **FORM)
    assert sorted(failures) == [0, 1, 2]


@pytest.mark.parametrize(("shape", "bars"), [((40, 80), [8, 8, 0, 0]), ((80, 20), [0, 0, 12, 12]), ((9, 9), [0] * 4)])
@pytest.mark.parametrize("limit", [0, 1 << 20])
def test_source_knows_the_bars_of_each_image(tmp_path, write_image, shape, bars, limit):
    write_image(tmp_path / "a.png", shape=shape)
    files = [tmp_path / "a.png"] * 2
    source, _ = read_source(files, size=(32, 32), channels=1, resize="letterbox", limit=limit)
    assert source.bars.tolist() == [bars, bars] and source.keep(np.array([1])).bars.tolist() == [bars]
    stretched, _ = read_source(files, size=(32, 32), channels=1, resize="stretch", limit=limit)
    assert not stretched.bars.any()
