import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medxray.data.audit import duplicates
from medxray.data.audit.duplicates import difference_hashes, identical, near_pairs, nearly_identical
from medxray.data.layouts.sources import load_manifest
from medxray.data.phantom.draw import render_phantom


def thumbnails(count):
    drawn = [render_phantom("normal", size=96, patient_seed=n, image_seed=n)[0] for n in range(count)]
    return np.stack([cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA) for image in drawn])


def test_hash_bits_tell_where_brightness_rises():
    rising = np.tile(np.arange(17, dtype=np.uint8) * 15, (16, 1))
    bits = np.unpackbits(difference_hashes(np.stack([rising, rising[:, ::-1]])).view(np.uint8), axis=1)
    assert bits.shape == (2, 256)
    assert bits[0].all() and not bits[1].any()
    half = np.hstack([rising[:, :8], np.full((16, 9), 255, np.uint8)])
    assert np.unpackbits(difference_hashes(half[None]).view(np.uint8)).reshape(16, 16)[:, :8].all()
    assert difference_hashes(np.zeros((0, 64, 64), np.uint8)).shape == (0, 4)


@settings(max_examples=30, deadline=None)
@given(flips=st.lists(st.integers(0, 255), unique=True, max_size=40), limit=st.integers(0, 40))
def test_pairs_are_those_within_the_limit(flips, limit):
    bits = np.zeros((2, 256), np.uint8)
    bits[1, flips] = 1
    hashes = np.packbits(bits, axis=1).view(np.uint64)
    assert near_pairs(hashes, limit) == ([(0, 1)] if len(flips) <= limit else [])


def test_copies_are_near_and_other_chests_are_not():
    originals = thumbnails(12)
    copies = [
        cv2.imdecode(cv2.imencode(".jpg", originals[0], [cv2.IMWRITE_JPEG_QUALITY, 70])[1], cv2.IMREAD_GRAYSCALE),
        np.clip(originals[1] * 0.9 + 6, 0, 255).astype(np.uint8),
        cv2.GaussianBlur(originals[2], (0, 0), 0.7),
    ]
    pairs = near_pairs(difference_hashes(np.concatenate([originals, copies])), duplicates.NEAR_BITS)
    assert pairs == [(0, 12), (1, 13), (2, 14)]


@pytest.fixture
def repeated(make_tree):
    """A tree with copies within train, from train to test, and across labels, and the manifest over it."""
    folder = make_tree(
        *(f"train/NORMAL/IM-{n:04d}-0001.png" for n in range(4)),
        *(f"test/NORMAL/IM-{n:04d}-0001.png" for n in range(10, 12)),
        *(f"train/PNEUMONIA/person{n}_virus_{n}.png" for n in range(3)),
    )
    for source, target in (
        ("train/NORMAL/IM-0000-0001.png", "train/NORMAL/IM-0000-0002.png"),
        ("train/NORMAL/IM-0001-0001.png", "test/NORMAL/IM-0099-0001.png"),
        ("train/NORMAL/IM-0002-0001.png", "train/PNEUMONIA/person9_virus_9.png"),
    ):
        (folder / target).write_bytes((folder / source).read_bytes())
    return load_manifest(folder)


def test_identical_files_are_counted_within_and_across_splits_labels_and_patients(repeated):
    found = identical(repeated)
    assert (found.groups, found.files) == (3, 6)
    assert (found.within_split, found.across_splits, found.across_labels, found.across_patients) == (2, 1, 1, 2)
    assert found.examples == (
        ("train/NORMAL/IM-0002-0001.png", "train/PNEUMONIA/person9_virus_9.png"),
        ("test/NORMAL/IM-0099-0001.png", "train/NORMAL/IM-0001-0001.png"),
        ("train/NORMAL/IM-0000-0001.png", "train/NORMAL/IM-0000-0002.png"),
    )


def test_look_alikes_leave_out_byte_identical_files(repeated):
    pictures = thumbnails(len(repeated))
    assert nearly_identical(repeated, pictures).groups == 0
    pictures[1] = pictures[0]
    pictures[3] = pictures[0]
    found = nearly_identical(repeated, pictures)
    assert (found.groups, found.files) == (1, 3)


def test_too_many_images_are_said_and_not_searched(repeated, monkeypatch):
    monkeypatch.setattr(duplicates, "NEAR_LIMIT", 3)
    assert nearly_identical(repeated, thumbnails(len(repeated))).note == "not searched: more than 3 images"
