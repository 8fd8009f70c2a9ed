"""Small datasets on disk for the tests of the data rooms."""

from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture
def write_image():
    """Function (path, *, seed, shape, dtype) that writes noise in the format of the suffix and returns the pixels."""

    def write(path, *, seed=0, shape=(12, 16), dtype=np.uint8):
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)
        path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
        return pixels

    return write


@pytest.fixture
def make_tree(tmp_path, write_image):
    """Function (*names) that writes a different picture for each relative name below tmp_path and returns tmp_path."""

    def make(*names):
        for seed, name in enumerate(names):
            write_image(tmp_path / name, seed=seed)
        return tmp_path

    return make


@pytest.fixture
def make_manifest(tmp_path):
    """Function (rows, **fields) that makes a Manifest of (path, label, subtype, patient, split) rows without files."""
    from medxray.data.manifest import Manifest, all_known, build_table

    def make(rows, *, classes=("NORMAL", "PNEUMONIA"), task="pneumonia"):
        table = build_table(rows)
        positive = classes[-1] if len(classes) == 2 else None
        return Manifest(table, tmp_path, task, tuple(classes), positive, all_known(table))

    return make
