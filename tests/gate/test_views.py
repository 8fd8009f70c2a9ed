"""What a model's gate is fitted on."""

import keras
import numpy as np
import pytest

from medxray.data.pipeline import Source
from medxray.gate.graph import GateGraph
from medxray.gate.views import ASPECTS, described, fit_model_gate, letterboxed
from medxray.models.heads import POOLED


@pytest.fixture(scope="module")
def model():
    """A small network whose features see the bars of a letterboxed image."""
    keras.utils.set_random_seed(3)
    image = keras.Input((64, 64, 1))
    tensor = keras.layers.Rescaling(1 / 255)(image)
    tensor = keras.layers.Conv2D(6, 5, strides=4, activation="relu")(tensor)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D(name=POOLED)(tensor))


def source_of(pixels, resize):
    return Source(tuple(map(str, range(len(pixels)))), (64, 64), 1, resize, pixels)


def test_letterboxed_views_hold_the_image_between_black_bars(chests):
    images = letterboxed(list(chests(40, 1)), np.random.default_rng(0))
    assert images.shape == (40, 64, 64, 1) and images.dtype == np.uint8
    lit = images[..., 0] > 0
    heights, widths = lit.any(axis=2).sum(axis=1), lit.any(axis=1).sum(axis=1)
    aspects = widths / heights
    assert (np.maximum(heights, widths) == 64).all()
    assert aspects.min() < 0.75 and aspects.max() > 1.5
    assert aspects.min() > ASPECTS[0] - 0.05 and aspects.max() < ASPECTS[1] + 0.1
    layouts = described([images])[0], described([chests(40, 1)])[0]
    assert np.abs(layouts[0] - layouts[1]).mean() < 0.06


@pytest.mark.slow
def test_images_that_are_letterboxed_are_accepted_only_by_a_gate_that_expects_it(chests, model):
    pixels, other = chests(300, 1), letterboxed(list(chests(60, 5)), np.random.default_rng(1))
    rows = {"train": np.arange(180), "validation": np.arange(180, 300)}
    shares = {}
    for resize in ("letterbox", "stretch"):
        gate = fit_model_gate(model, source_of(pixels, resize), **rows)
        assert gate.validation == 120 + (96 if resize == "letterbox" else 0)
        answer = GateGraph(gate)(other.astype(np.float32), model(other.astype(np.float32)))
        shares[resize] = answer["in_distribution"].numpy().mean()
    assert shares["letterbox"] > 0.9 > 0.5 > shares["stretch"]


def test_known_features_are_used_instead_of_the_network(chests, model):
    pixels = chests(80, 2)
    rows = {"train": np.arange(50), "validation": np.arange(50, 80)}
    source = source_of(pixels, "stretch")
    features = {f"{name}_features": model(pixels[part].astype(np.float32)).numpy() for name, part in rows.items()}
    plain, known = (fit_model_gate(model, source, **rows, **given) for given in ({}, features))
    np.testing.assert_allclose(plain.scales, known.scales, rtol=1e-4)
    shifted = fit_model_gate(model, source, **rows, **{name: part + 1 for name, part in features.items()})
    np.testing.assert_allclose(shifted.features.mean, plain.features.mean + 1, rtol=1e-4)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_gate(chests, model):
    source = source_of(chests(60, 3), "letterbox")
    rows = {"train": np.arange(40), "validation": np.arange(40, 60)}
    gates = [fit_model_gate(model, source, **rows, seed=seed) for seed in (4, 4, 5)]
    np.testing.assert_allclose(gates[0].scales, gates[1].scales, rtol=1e-5)
    assert not np.allclose(gates[0].features.mean, gates[2].features.mean, rtol=1e-5)
