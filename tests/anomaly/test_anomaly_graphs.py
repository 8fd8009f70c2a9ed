"""Backbone, patch features and anomaly map as one graph: saved, loaded in safe mode without medxray."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from medxray.anomaly.padim import fit_padim, padim_map
from medxray.anomaly.patch_features import patch_features
from medxray.anomaly.patchcore import fit_patchcore, patchcore_map
from medxray.models.classifier import build_classifier, prefix
from tests.fixtures.patches import array_patches

CODE = (
    "import sys, numpy as np, keras\n"
    "images = np.load('images.npy')\n"
    "for name in ('padim', 'patchcore'):\n"
    "    model = keras.models.load_model(name + '.keras', safe_mode=True)\n"
    "    found = model.predict(images, verbose=0)\n"
    "    np.savez(name + '.npz', *(found if isinstance(found, (list, tuple)) else [found]))\n"
    "assert 'medxray' not in sys.modules\n"
)


@pytest.fixture(scope="module")
def backbone():
    """A small network up to two blocks, and the patch features of 12 images."""
    network = build_classifier("shallow-cnn", image_size=32, channels=1, classes=2)
    part = prefix(network, ["block1_pool", "block2_pool"])
    images = np.random.default_rng(0).uniform(0, 255, (12, 32, 32, 1)).astype(np.float32)
    patches = patch_features(part.outputs)
    return part.input, patches, images, keras.Model(part.input, patches)(images).numpy()


def padim_model(image, patches, values):
    fit = fit_padim(array_patches(values), dimensions=5)
    return keras.Model(image, padim_map(patches, channels=fit.channels, mean=fit.mean, whitening=fit.whitening))


def patchcore_model(image, patches, values):
    fit = fit_patchcore(array_patches(values), share=0.02)
    return keras.Model(image, patchcore_map(patches, bank=fit.bank, neighbors=fit.neighbors))


@pytest.mark.slow
def test_saved_graphs_load_in_safe_mode_without_medxray(backbone, tmp_path):
    image, patches, images, values = backbone
    models = {"padim": padim_model(image, patches, values), "patchcore": patchcore_model(image, patches, values)}
    np.save(tmp_path / "images.npy", images)
    for name, model in models.items():
        assert not [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
        model.save(tmp_path / f"{name}.keras")
    subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, cwd=tmp_path)
    for name, model in models.items():
        expected = keras.tree.flatten(model(images))
        with np.load(tmp_path / f"{name}.npz") as found:
            assert len(found.files) == len(expected)
            for array, tensor in zip(found.values(), expected, strict=True):
                np.testing.assert_allclose(array, tensor.numpy(), rtol=1e-4, atol=1e-4)
