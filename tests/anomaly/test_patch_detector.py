"""What of an anomaly map becomes the score of an image."""

import keras
import numpy as np
import pytest

from medxray.anomaly.padim import fit_padim
from medxray.anomaly.patch_graph import build_backbone, build_patch_detector, patch_layers, patches_of
from medxray.anomaly.patchcore import fit_patchcore
from medxray.anomaly.score import MAP, RAW_SCORE
from medxray.models.classifier import prefix
from tests.fixtures.patches import array_patches


@pytest.fixture(scope="module")
def material():
    """A random small backbone, and ten normal images and four others."""
    keras.utils.set_random_seed(5)
    backbone = build_backbone("shallow-cnn", image_size=32, channels=1)
    images = np.random.default_rng(0).uniform(0, 255, (14, 32, 32, 1)).astype(np.float32)
    return backbone, images[:10], images[10:]


def detector_of(material, fit, *, scale="none", image_score="mean"):
    """The detector that `fit`, a function of patches, gives on the normal images."""
    backbone, normal, _ = material
    names = patch_layers("shallow-cnn")
    part = prefix(backbone, names)
    patches = patches_of(part.outputs, scale=scale)(part(normal)).numpy()
    return build_patch_detector(
        backbone, fit(array_patches(patches)), names=names, scale=scale, image_score=image_score
    )


def padim(patches):
    return fit_padim(patches, dimensions=100)


def patchcore(patches):
    return fit_patchcore(patches, share=0.01)


def answers(model, images):
    """Raw scores (n,) and maps (n,h,w)."""
    outputs = [model.get_layer(name).output for name in (RAW_SCORE, MAP)]
    score, maps = keras.Model(model.input, outputs)(images)
    return score.numpy()[:, 0], maps.numpy()


@pytest.mark.parametrize("fit", [padim, patchcore])
def test_the_mean_of_the_map(material, fit):
    score, maps = answers(detector_of(material, fit), material[2])
    np.testing.assert_allclose(score, maps.mean(axis=(1, 2)), rtol=1e-5)


def test_the_largest_distance_as_in_the_papers(material):
    score, maps = answers(detector_of(material, padim, image_score="max"), material[2])
    np.testing.assert_allclose(score, maps.max(axis=(1, 2)), rtol=1e-5)
    score, maps = answers(detector_of(material, patchcore, image_score="max"), material[2])
    assert (score < maps.max(axis=(1, 2))).all() and (score > 0).all()  # weighted, equation 7


@pytest.mark.parametrize("scale", ["none", "unit"])
def test_unit_patches_do_not_feel_the_strength_of_activations(material, scale):
    tensors = [keras.Input((4, 4, 6)), keras.Input((2, 2, 8))]
    model = patches_of(tensors, scale=scale)
    arrays = [np.random.default_rng(1).uniform(0.5, 2, (3, *tensor.shape[1:])).astype(np.float32) for tensor in tensors]
    weak, strong = (model([factor * array for array in arrays]).numpy() for factor in (1, 3))
    np.testing.assert_allclose(strong, weak if scale == "unit" else 3 * weak, rtol=1e-5)
    if scale == "unit":
        np.testing.assert_allclose((weak[..., :6] ** 2).mean(axis=-1), 1, rtol=1e-5)
