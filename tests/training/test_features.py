import dataclasses

import numpy as np
import pytest

from medxray.data.augment import POLICIES, Augment
from medxray.data.pipeline import Source
from medxray.models.classifier import build_classifier, prefix
from medxray.training import features
from medxray.training.features import CLEAN, ImageSet, PrefixFeatures
from medxray.training.prefix_cache import clear

CUTS = ("block4_pool", "pooled")


@pytest.fixture(scope="module")
def images():
    pixels = np.random.default_rng(0).integers(0, 255, (12, 32, 32, 1), dtype=np.uint8)
    source = Source(tuple(f"{row}.png" for row in range(12)), (32, 32), 1, "letterbox", pixels)
    rows = {"train": np.array([1, 3, 5, 7, 9, 11]), "val": np.array([0, 2]), "test": np.array([4, 6, 8, 10])}
    digests = tuple(f"{row:064x}"[::-1] for row in range(1, 13))
    return ImageSet(source, np.arange(12) % 2, digests, rows, POLICIES["standard"], seed=4)


@pytest.fixture(scope="module")
def model():
    return build_classifier("vgg16", image_size=32, channels=1, classes=2, units=4)


def cached(model, images, folder, cuts=CUTS, views=2):
    return PrefixFeatures(model, cuts, arch="vgg16", image_set=images, views=views, cache_dir=folder)


def test_cached_activations_are_those_of_the_model(model, images, tmp_path):
    filled = cached(model, images, tmp_path)
    filled.build()
    for cut in CUTS:
        part = prefix(model, [cut])
        clean = images.source.pixels[images.rows["test"]].astype(np.float32)
        np.testing.assert_allclose(filled.read(cut, "test"), np.squeeze(part(clean)), rtol=2e-3, atol=2e-3)
        for view in (0, 1):
            rows = images.rows["train"]
            pixels = images.source.pixels[rows].astype(np.float32)
            augmented = Augment()(pixels, images.parameters(rows, view), training=True)
            found = filled.read(cut, "train", view)
            np.testing.assert_allclose(found, np.squeeze(part(augmented)), rtol=2e-3, atol=2e-3)
    assert not np.array_equal(filled.read("pooled", "train", 0), filled.read("pooled", "train", 1))


def test_second_run_finds_everything_and_another_model_nothing(model, images, tmp_path):
    cached(model, images, tmp_path).build()
    again = cached(model, images, tmp_path)
    assert again.missing_rows == 0 and again.missing_bytes == 0
    other = build_classifier("vgg16", image_size=32, channels=1, classes=2, units=4)
    assert cached(other, images, tmp_path).missing_rows == 6 * 2 + 2 + 4


@pytest.mark.parametrize("name", ["FORMAT", "DECODING"])
def test_another_decoding_or_format_finds_nothing(model, images, tmp_path, monkeypatch, name):
    cached(model, images, tmp_path, cuts=("pooled",)).build()
    assert cached(model, images, tmp_path, cuts=("pooled",)).missing_rows == 0
    monkeypatch.setattr(features, name, getattr(features, name) + 1)
    assert cached(model, images, tmp_path, cuts=("pooled",)).missing_rows == 18


def test_the_bars_of_an_image_are_among_its_parameters(images):
    bars = np.arange(48).reshape(12, 4) % 5
    barred = dataclasses.replace(images, source=dataclasses.replace(images.source, bars=bars))
    np.testing.assert_array_equal(barred.parameters(np.array([3, 5]), 1)[:, -4:], bars[[3, 5]])
    np.testing.assert_array_equal(barred.parameters([3], 1)[:, :-4], images.parameters([3], 1)[:, :-4])


def test_extract_uses_what_finetune_left_and_only_the_missing_cut_is_added(model, images, tmp_path):
    cached(model, images, tmp_path, cuts=("pooled",)).build()
    both = cached(model, images, tmp_path)
    assert both.missing_rows == 18 and 0 < both.missing_bytes < both.total_bytes
    both.build()
    fresh = cached(model, images, tmp_path / "fresh")
    fresh.build()
    assert np.array_equal(both.read("block4_pool", "val"), fresh.read("block4_pool", "val"))


def test_an_entry_cleared_before_it_is_locked_for_reading_is_computed_again(model, images, tmp_path, monkeypatch):
    share, cleared = features.EntryLock.share, []

    def share_after_another_process_cleared(lock):
        if not cleared:
            cleared.append(clear(tmp_path))
        share(lock)

    monkeypatch.setattr(features.EntryLock, "share", share_after_another_process_cleared)
    built = cached(model, images, tmp_path, cuts=("pooled",))
    built.build()
    assert cleared[0][0] == 4 and clear(tmp_path) == (0, 0)
    monkeypatch.undo()
    again = cached(model, images, tmp_path / "again", cuts=("pooled",))
    again.build()
    assert np.array_equal(built.read("pooled", "train", 1), again.read("pooled", "train", 1))


def test_interrupted_build_goes_on_and_ends_the_same(model, images, tmp_path, monkeypatch):
    whole = cached(model, images, tmp_path / "whole")
    monkeypatch.setattr(features, "BATCH", 2)
    monkeypatch.setattr(features, "CHUNK", 2)
    whole.build()
    append, calls = features.Entry.append, []

    def stop_at_the_fifth(entry, rows):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        append(entry, rows)

    monkeypatch.setattr(features.Entry, "append", stop_at_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        cached(model, images, tmp_path / "cut").build()
    monkeypatch.setattr(features.Entry, "append", append)
    resumed = cached(model, images, tmp_path / "cut")
    assert 0 < resumed.missing_rows < 18
    resumed.build()
    for cut in CUTS:
        for split, view in (("train", 0), ("train", 1), ("val", CLEAN), ("test", CLEAN)):
            assert np.array_equal(resumed.read(cut, split, view), whole.read(cut, split, view))


@pytest.mark.parametrize("change", ["seed", "policy", "digest", "resize", "cut"])
def test_every_influence_gives_another_entry(model, images, tmp_path, change):
    import dataclasses

    cached(model, images, tmp_path, cuts=("pooled",)).build()
    other = {
        "seed": lambda: dataclasses.replace(images, seed=5),
        "policy": lambda: dataclasses.replace(images, policy=POLICIES["light"]),
        "digest": lambda: dataclasses.replace(images, digests=("f" * 64,) * 12),
        "resize": lambda: dataclasses.replace(images, source=dataclasses.replace(images.source, resize="stretch")),
        "cut": lambda: images,
    }[change]()
    cuts = ("block5_pool",) if change == "cut" else ("pooled",)
    assert cached(model, other, tmp_path, cuts=cuts).missing_rows >= 12
