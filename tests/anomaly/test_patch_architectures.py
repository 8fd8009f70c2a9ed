"""The contract of PaDiM and PatchCore on every registered architecture, with random weights."""

import keras
import numpy as np
import pytest

from medxray.anomaly.padim import fit_padim
from medxray.anomaly.patch_graph import build_backbone, build_patch_detector, patch_layers, patches_of
from medxray.anomaly.patchcore import fit_patchcore
from medxray.anomaly.score import MAP, RAW_SCORE
from medxray.models.classifier import prefix
from medxray.models.heads import POOLED
from tests.fixtures.architectures import architectures
from tests.fixtures.patches import array_patches

FITS = {
    "padim": lambda patches: fit_padim(patches, dimensions=8),
    "patchcore": lambda patches: fit_patchcore(patches, share=0.01),
}


@pytest.mark.slow
@pytest.mark.parametrize("row", architectures(slow=("densenet121", "efficientnetv2-b0")))
def test_both_methods_build_save_and_load_on_every_architecture(row, tmp_path):
    keras.utils.set_random_seed(1)
    size = row.minimum_size
    backbone = build_backbone(row.name, image_size=size, channels=1)
    names = patch_layers(row.name)
    part = prefix(backbone, names)
    images = np.random.default_rng(0).uniform(0, 255, (12, size, size, 1)).astype(np.float32)
    patches = patches_of(part.outputs, scale="none")(part(images)).numpy()
    finer, deeper = (output.shape for output in part.outputs)
    assert patches.shape == (12, *finer[1:3], finer[-1] + deeper[-1])
    for name, fit in FITS.items():
        fitted = fit(array_patches(patches[:8]))
        model = build_patch_detector(backbone, fitted, names=names, scale="none", image_score="mean")
        model.save(tmp_path / f"{name}.keras")
        again = keras.models.load_model(tmp_path / f"{name}.keras", safe_mode=True)
        assert not [layer.name for layer in again.layers if isinstance(layer, keras.Model)]
        outputs = [again.get_layer(layer).output for layer in (RAW_SCORE, MAP, POOLED)]
        score, maps, pooled = (output.numpy() for output in keras.Model(again.input, outputs)(images))
        assert (score.shape, maps.shape, pooled.shape) == ((12, 1), (12, *finer[1:3]), (12, deeper[-1])), name
        assert np.isfinite(maps).all() and (maps >= 0).all() and maps[8:].max() > 0, name
        np.testing.assert_allclose(score[:, 0], maps.mean(axis=(1, 2)), rtol=1e-4, err_msg=name)
        for found, expected in zip((score, maps, pooled), model(images), strict=True):
            np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-4, err_msg=name)
