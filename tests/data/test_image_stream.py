import builtins
import collections
import gc
import weakref

import numpy as np
import pytest

from medxray.data import image_stream
from medxray.data.image_stream import stream_images
from medxray.data.images.files import ImageBytes
from medxray.data.images.load import LoadedImage
from medxray.data.pipeline import Source

FORM = Source((), (32, 32), 1, "letterbox")


@pytest.fixture
def files(tmp_path, write_image):
    """Eleven pictures in three formats, the fourth of them a text."""
    names = [f"{number:02}.{('png', 'jpg', 'tif')[number % 3]}" for number in range(11)]
    for seed, name in enumerate(names):
        write_image(tmp_path / name, seed=seed, shape=(20 + seed, 30))
    (tmp_path / names[3]).write_text("text")
    return [tmp_path / name for name in names]


def test_batches_come_in_order_with_the_reasons_of_bad_files(files):
    batches = list(stream_images(files, FORM, 4))
    assert [batch.images for batch in batches] == [files[:4], files[4:8], files[8:]]
    assert [len(batch.pixels) for batch in batches] == [4, 4, 3]
    assert [bool(reason) for batch in batches for reason in batch.reasons] == [number == 3 for number in range(11)]
    assert not batches[0].pixels[3].any()


def test_the_readable_part_of_a_batch_leaves_bad_files_out(files):
    batch = next(stream_images(files, FORM, 4, pictures=True))
    good = batch.readable()
    assert good.images == files[:3] and good.pixels.shape == (3, 32, 32, 1) and len(good.pictures) == 3
    assert batch.of_readable("abcd") == ["a", "b", "c"]


def test_paths_and_bytes_give_the_same_stream(files):
    in_memory = [ImageBytes(file.name, file.read_bytes()) for file in files]
    for one, other in zip(stream_images(files, FORM, 4), stream_images(in_memory, FORM, 4), strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        assert (one.boxes, one.reasons) == (other.boxes, other.reasons)


def test_every_file_is_opened_once_also_for_pictures_and_digests(files, monkeypatch):
    opened, real = collections.Counter(), builtins.open

    def counting(file, *rest, **options):
        opened[str(file)] += 1
        return real(file, *rest, **options)

    monkeypatch.setattr(builtins, "open", counting)
    list(stream_images(files, FORM, 4, pictures=True, digests=True))
    assert {str(file): opened[str(file)] for file in files} == {str(file): 1 for file in files}


def test_a_long_stream_holds_no_more_than_a_few_batches(monkeypatch):
    alive, most = weakref.WeakSet(), 0

    class Pixels(np.ndarray):
        """An array that can be counted."""

    def load(image, form, **wanted):
        pixels = np.zeros((*form.size, form.channels), np.uint8).view(Pixels)
        alive.add(pixels)
        return LoadedImage(pixels, (0, 0, 32, 32), "")

    monkeypatch.setattr(image_stream, "load_image", load)
    monkeypatch.setattr(Pixels, "__hash__", lambda self: id(self), raising=False)
    for _ in stream_images(list(range(400)), FORM, 4):
        gc.collect(0)
        most = max(most, len(alive))
    assert 0 < most <= 12  # three batches of four


def test_a_stream_that_is_left_early_reads_no_further(monkeypatch):
    loaded = []

    def load(image, form, **wanted):
        loaded.append(image)
        return LoadedImage(np.zeros((32, 32, 1), np.uint8), (0, 0, 32, 32), "")

    monkeypatch.setattr(image_stream, "load_image", load)
    stream = stream_images(list(range(400)), FORM, 4)
    next(stream)
    stream.close()
    assert len(loaded) <= 12


def test_orientation_tags_are_told_in_one_warning_and_nothing_is_turned(tmp_path, caplog):
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 255, (30, 40), np.uint8)
    tag = Image.Exif()
    for orientation in (1, 3, 6):
        tag[274] = orientation
        Image.fromarray(pixels).save(tmp_path / f"{orientation}.jpg", exif=tag.tobytes())
        Image.fromarray(pixels).save(tmp_path / f"{orientation}.tif", tiffinfo={274: orientation})
    for suffix in ("jpg", "tif"):
        caplog.clear()
        batches = list(stream_images([tmp_path / f"{number}.{suffix}" for number in (1, 3, 6)], FORM, 2))
        shown = np.concatenate([batch.pixels for batch in batches])
        assert (shown == shown[0]).all() and [reason for batch in batches for reason in batch.reasons] == [""] * 3
        assert [number for batch in batches for number in batch.orientations] == [1, 3, 6]
        assert len(caplog.messages) == 1
        assert f"2 images have an orientation tag, which is not applied (first: {tmp_path}/3.{suffix})" in caplog.text
