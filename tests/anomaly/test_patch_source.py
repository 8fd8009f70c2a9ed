"""Activations of patches are the same from the cache, computed again, or in part one and in part the other."""

from types import SimpleNamespace

import numpy as np
import pytest

from medxray.anomaly.patch_graph import build_backbone, patch_layers
from medxray.anomaly.patch_source import PatchSource
from medxray.data.augment import POLICIES
from medxray.data.pipeline import Source
from medxray.training.image_set import ImageSet

ARCH = "shallow-cnn"


@pytest.fixture(scope="module")
def images():
    pixels = np.random.default_rng(0).integers(0, 255, (7, 32, 32, 1), dtype=np.uint8)
    source = Source(tuple(f"{row}.png" for row in range(7)), (32, 32), 1, "letterbox", pixels)
    rows = {"normal": np.array([4, 0, 2]), "val": np.array([1, 6])}
    return ImageSet(source, np.zeros(7, np.int64), tuple(f"{row:064x}" for row in range(7)), rows, POLICIES["none"], 0)


def test_activations_are_the_same_whatever_fits_into_the_cache(images, tmp_path, caplog):
    backbone = build_backbone(ARCH, image_size=32, channels=1)
    found, cached = [], []
    for number, budget in enumerate(("1GB", "50KB", "0MB")):
        place = str(tmp_path / str(number))
        source = PatchSource(
            backbone, images, SimpleNamespace(arch=ARCH, patch_scale="unit", cache_dir=place, cache_budget=budget)
        )
        others = source.of(ImageSet(**{**vars(images), "rows": {"test": np.array([5, 3])}}))
        parts = [*source.activations("normal", batch=2), *source.activations("val"), *others.activations("test")]
        found.append([part for batch in parts for part in batch])
        cached.append(len(source._cached))
    assert cached == [2, 1, 0] and len(found[0]) == 2 * (2 + 1 + 1)
    for some in found[1:]:
        for one, other in zip(found[0], some, strict=True):
            np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-3)
    assert f"Not cached, beyond --cache-budget: {patch_layers(ARCH)[0]} of unchanged images" in caplog.text
