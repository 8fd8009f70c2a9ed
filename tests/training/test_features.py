import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from medxray.data.augment import POLICIES, Augment
from medxray.data.pipeline import Source
from medxray.models.classifier import build_classifier, prefix
from medxray.training import cache_budget, features, frozen_prefix
from medxray.training.cache_budget import keep_what_fits
from medxray.training.cache_folder import clear, list_entries
from medxray.training.features import CLEAN, PrefixFeatures
from medxray.training.image_set import ImageSet

ARCH, CUTS = "shallow-cnn", ("block2_norm", "pooled")


@pytest.fixture(scope="module")
def images():
    pixels = np.random.default_rng(0).integers(0, 255, (12, 32, 32, 1), dtype=np.uint8)
    source = Source(tuple(f"{row}.png" for row in range(12)), (32, 32), 1, "letterbox", pixels)
    rows = {"train": np.array([1, 3, 5, 7, 9, 11]), "val": np.array([0, 2]), "test": np.array([4, 6, 8, 10])}
    digests = tuple(f"{row:064x}"[::-1] for row in range(1, 13))
    return ImageSet(source, np.arange(12) % 2, digests, rows, POLICIES["standard"], seed=4)


@pytest.fixture(scope="module")
def model():
    return build_classifier(ARCH, image_size=32, channels=1, classes=2, units=4)


def cached(model, images, folder, cuts=CUTS, views=2, **options):
    return PrefixFeatures(model, cuts, arch=ARCH, image_set=images, views=views, cache_dir=folder, **options)


def with_rows(images, **rows):
    return dataclasses.replace(images, rows={name: np.asarray(part) for name, part in rows.items()})


def everything(features, images):
    """All activations by (cut, view, digest)."""
    found = {}
    for cut in CUTS:
        for split, part in images.rows.items():
            for view in (0, 1) if split == "train" else (CLEAN,):
                rows = features.read(cut, split, view)
                found |= {(cut, view, images.digests[row]): rows[at].tobytes() for at, row in enumerate(part)}
    return found


def test_cached_activations_are_those_of_the_model(model, images, tmp_path):
    filled = cached(model, images, tmp_path)
    filled.build()
    for cut in CUTS:
        part = prefix(model, [cut])
        clean = images.source.pixels[images.rows["test"]].astype(np.float32)
        np.testing.assert_allclose(filled.read(cut, "test")[:], np.squeeze(part(clean)), rtol=2e-3, atol=2e-3)
        for view in (0, 1):
            rows = images.rows["train"]
            pixels = images.source.pixels[rows].astype(np.float32)
            augmented = Augment()(pixels, images.parameters(rows, view), training=True)
            found = filled.read(cut, "train", view)[:]
            np.testing.assert_allclose(found, np.squeeze(part(augmented)), rtol=2e-3, atol=2e-3)
    assert not np.array_equal(filled.read("pooled", "train", 0)[:], filled.read("pooled", "train", 1)[:])


def test_second_run_finds_everything_and_another_model_nothing(model, images, tmp_path):
    cached(model, images, tmp_path).build()
    again = cached(model, images, tmp_path)
    assert again.missing_rows == 0 and not any(part.missing for part in again.parts())
    other = build_classifier(ARCH, image_size=32, channels=1, classes=2, units=4)
    assert cached(other, images, tmp_path).missing_rows == 6 * 2 + 2 + 4


@pytest.mark.parametrize("name", ["COMPUTATION", "DECODING"])
def test_another_decoding_or_computation_finds_nothing(model, images, tmp_path, monkeypatch, name):
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
    missing = {(part.cut, part.augmented): part.missing for part in both.parts()}
    assert both.missing_rows == 18 and missing["pooled", True] == 0 < missing[CUTS[0], True]
    both.build()
    fresh = cached(model, images, tmp_path / "fresh")
    fresh.build()
    assert np.array_equal(both.read(CUTS[0], "val")[:], fresh.read(CUTS[0], "val")[:])


def test_an_entry_in_use_by_a_run_is_not_cleared(model, images, tmp_path):
    built = cached(model, images, tmp_path, cuts=("pooled",))
    built.build()
    assert clear(tmp_path) == (0, 0)
    del built
    assert clear(tmp_path)[0] == 3


def test_an_entry_cleared_after_it_was_looked_at_is_computed_again(model, images, tmp_path):
    cached(model, images, tmp_path, cuts=("pooled",)).build()
    looked_at = cached(model, images, tmp_path, cuts=("pooled",))
    assert looked_at.missing_rows == 0 and clear(tmp_path)[0] == 3
    looked_at.build()
    assert looked_at.read("pooled", "train", 1).shape == (6, 64)


def test_one_more_image_computes_one_row_for_each_view(model, images, tmp_path):
    fewer = with_rows(images, train=[1, 3, 5, 7, 9], val=[0, 2], test=[4, 6, 8, 10])
    cached(model, fewer, tmp_path).build()
    more = cached(model, images, tmp_path)
    assert more.missing_rows == 2
    more.build()
    assert sorted(entry["rows"] for entry in list_entries(tmp_path)) == [6] * 6


def test_another_split_computes_only_views_that_an_image_did_not_have(model, images, tmp_path):
    cached(model, images, tmp_path).build()
    shuffled = with_rows(images, train=[11, 1, 9, 3, 5, 0], val=[7, 2], test=[4, 10, 6, 8])
    other = cached(model, shuffled, tmp_path)
    assert other.missing_rows == 2 + 1  # both views of image 0, image 7 unchanged
    other.build()
    fresh = cached(model, shuffled, tmp_path / "fresh")
    fresh.build()
    assert everything(other, shuffled) == everything(fresh, shuffled)


def test_what_an_image_gets_does_not_depend_on_the_images_beside_it(model, images, tmp_path):
    whole = cached(model, images, tmp_path / "whole")
    whole.build()
    alone = with_rows(images, train=[7], val=[2])
    single = cached(model, alone, tmp_path / "alone")
    single.build()
    assert everything(single, alone).items() <= everything(whole, images).items()


def test_identical_images_share_their_row(model, images, tmp_path):
    digests = (*images.digests[:11], images.digests[1])  # image 11 is image 1
    pixels = images.source.pixels.copy()
    pixels[11] = pixels[1]
    twins = dataclasses.replace(images, digests=digests, source=dataclasses.replace(images.source, pixels=pixels))
    built = cached(model, twins, tmp_path)
    assert built.missing_rows == 5 * 2 + 6
    built.build()
    found = built.read("pooled", "train", 1)
    assert len(found) == 6 and np.array_equal(found[0], found[5]) and not np.array_equal(found[0], found[1])


def test_a_damaged_chunk_is_computed_again_to_the_bit(model, images, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(features, "CHUNK", 2)
    monkeypatch.setattr(frozen_prefix, "BATCH", 2)
    monkeypatch.setattr(features, "BATCH", 2)
    built = cached(model, images, tmp_path)
    built.build()
    before = everything(built, images)
    del built
    files = sorted(tmp_path.glob("*/rows.f16"))
    for file in files:
        with open(file, "r+b") as opened:
            opened.seek(40)
            opened.write(b"\x12\x34")
    again = cached(model, images, tmp_path)
    assert again.missing_rows == 0  # a look at the record does not tell
    again.build()
    assert everything(again, images) == before and caplog.text.count("is damaged") == len(files) == 6


def test_a_budget_leaves_out_the_least_worth_part_and_says_so(model, images, tmp_path, caplog):
    parts = {(part.cut, part.augmented): part.total for part in cached(model, images, tmp_path).parts()}
    order = [("pooled", False), ("pooled", True), (CUTS[0], False), (CUTS[0], True)]
    assert list(parts) == order
    for kept in range(5):
        caplog.clear()
        some = cached(model, images, tmp_path)
        budget = sum(parts[place] for place in order[:kept])
        assert keep_what_fits(some, tmp_path, budget) == (kept > 0)
        assert [some.has(cut, augmented=which) for cut, which in order] == [place < kept for place in range(4)]
        assert bool(caplog.messages) == (kept < 4)
    some = cached(model, images, tmp_path)
    keep_what_fits(some, tmp_path, sum(parts.values()) - 1)
    assert "beyond --cache-budget: block2_norm of training views" in caplog.text
    assert "Cached: pooled of unchanged images (0.0 MB), pooled of training views" in caplog.text
    some.build()
    assert len(list_entries(tmp_path)) == 4 and some.read(CUTS[0], "val").shape == (2, 16, 16, 32)


def test_parts_for_which_the_disk_has_no_room_are_left_out(model, images, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(cache_budget.shutil, "disk_usage", lambda place: SimpleNamespace(free=20_000))
    some = cached(model, images, tmp_path)
    assert keep_what_fits(some, tmp_path, 10**9) and "has no room; free disk space or give --cache-dir" in caplog.text
    assert some.has("pooled", augmented=True) and not some.has(CUTS[0], augmented=True)


def test_interrupted_build_goes_on_and_ends_the_same(model, images, tmp_path, monkeypatch):
    whole = cached(model, images, tmp_path / "whole")
    monkeypatch.setattr(features, "BATCH", 2)
    monkeypatch.setattr(frozen_prefix, "BATCH", 2)
    monkeypatch.setattr(features, "CHUNK", 2)
    whole.build()
    append, calls = features.Entry.append, []

    def stop_at_the_fifth(entry, digests, rows):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        append(entry, digests, rows)

    monkeypatch.setattr(features.Entry, "append", stop_at_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        cached(model, images, tmp_path / "cut").build()
    monkeypatch.setattr(features.Entry, "append", append)
    resumed = cached(model, images, tmp_path / "cut")
    assert 0 < resumed.missing_rows < 18
    resumed.build()
    assert everything(resumed, images) == everything(whole, images)


@pytest.mark.parametrize("change", ["seed", "policy", "digest", "resize", "cut", "versions"])
def test_every_influence_gives_another_entry(model, images, tmp_path, change, monkeypatch):
    cached(model, images, tmp_path, cuts=("pooled",)).build()
    other = {
        "seed": lambda: dataclasses.replace(images, seed=5),
        "policy": lambda: dataclasses.replace(images, policy=POLICIES["light"]),
        "digest": lambda: dataclasses.replace(images, digests=tuple(f"{row:f>64}" for row in range(12))),
        "resize": lambda: dataclasses.replace(images, source=dataclasses.replace(images.source, resize="stretch")),
        "cut": lambda: images,
        "versions": lambda: images,
    }[change]()
    if change == "versions":
        monkeypatch.setattr(features.keras, "__version__", "0")
    cuts = ("block3_norm",) if change == "cut" else ("pooled",)
    assert cached(model, other, tmp_path, cuts=cuts).missing_rows >= 12
