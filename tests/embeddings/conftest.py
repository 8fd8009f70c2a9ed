"""Embeddings made of numbers alone, and with small image files behind them."""

import cv2
import numpy as np
import pytest

from medxray.embeddings.vectors import Embeddings

CLASSES = {2: ("NORMAL", "PNEUMONIA"), 3: ("NORMAL", "BACTERIAL", "VIRAL")}


@pytest.fixture
def make_embeddings():
    """Build Embeddings from vectors and class numbers; a patient per image and the split train unless told."""

    def build(vectors, y_true, *, patients=None, splits=None, ids=None, root="/nowhere", classes=None):
        n, vectors = len(y_true), np.asarray(vectors, np.float32)
        classes = classes or CLASSES[max(2, int(np.max(y_true)) + 1)]
        return Embeddings(
            ids=np.array([f"{row:04}.png" for row in range(n)] if ids is None else ids, dtype=str),
            patients=np.array([f"p{row}" for row in (range(n) if patients is None else patients)], dtype=str),
            labels=np.array(classes, dtype=str)[np.asarray(y_true)],
            subtypes=np.full(n, "", dtype="<U9"),
            splits=np.full(n, "train") if splits is None else np.array(splits, dtype=str),
            digests=np.array([f"{row:064x}" for row in range(n)], dtype=str),
            vectors=vectors.reshape(n, -1),
            classes=tuple(classes),
            positive=classes[-1] if len(classes) == 2 else None,
            model_digest="ab" * 32,
            run="run",
            root=str(root),
        )

    return build


@pytest.fixture
def simulate(make_embeddings):
    """Two or three clouds that overlap, patients with two images each, splits by patient."""

    def build(n=120, k=2, *, distance=1.5, seed=0, dimensions=6, **options):
        rng = np.random.default_rng(seed)
        patient = np.arange(n) // 2
        y_true = rng.permutation(np.arange(patient.max() + 1) % k)[patient]
        vectors = rng.normal(size=(n, dimensions))
        vectors[:, :k] += distance * np.eye(k)[y_true]
        splits = np.array(["train", "train", "train", "val", "test"])[patient % 5]
        return make_embeddings(vectors, y_true, patients=patient, splits=splits, **options)

    return build


@pytest.fixture
def with_images(simulate, tmp_path):
    """Simulated embeddings whose images exist: grey PNGs, the first one in colour."""
    found = simulate(60, root=tmp_path / "images")
    (tmp_path / "images").mkdir()
    for row, file in enumerate(found.files()):
        pixels = np.full((40, 60), 4 * row, np.uint8)
        cv2.imwrite(str(file), pixels if row else np.dstack([pixels, pixels + 50, pixels + 200]))
    return found
