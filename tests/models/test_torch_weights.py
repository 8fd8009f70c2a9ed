"""Tensors of PyTorch in the layers of a backbone: each in its place, or none at all and the first misfit told."""

import keras
import numpy as np
import pytest
from keras import layers

from medxray.models.torch_weights import fill

NAMES = {"conv": "features.0", "depth": "features.1", "norm": "features.2"}


@pytest.fixture
def backbone():
    image = keras.Input((8, 8, 3))
    tensor = layers.Conv2D(4, 3, name="conv")(image)
    tensor = layers.DepthwiseConv2D(5, padding="same", use_bias=False, name="depth")(tensor)
    return keras.Model(image, layers.BatchNormalization(name="norm")(tensor))


@pytest.fixture
def tensors():
    draw = np.random.default_rng(0)
    shapes = {"features.0.weight": (4, 3, 3, 3), "features.0.bias": (4,), "features.1.weight": (4, 1, 5, 5)}
    shapes |= {f"features.2.{part}": (4,) for part in ("weight", "bias", "running_mean", "running_var")}
    made = {name: draw.uniform(0.5, 1, shape).astype(np.float32) for name, shape in shapes.items()}
    return made | {"features.2.num_batches_tracked": np.array(7), "fc.weight": np.zeros((2, 4), np.float32)}


def test_kernels_are_turned_and_statistics_stand_in_their_places(backbone, tensors):
    fill(backbone, tensors, NAMES, left=("fc.",))
    kernel, bias = backbone.get_layer("conv").get_weights()
    assert kernel[2, 1, 0, 3] == tensors["features.0.weight"][3, 0, 2, 1] and bias[3] == tensors["features.0.bias"][3]
    (depth,) = backbone.get_layer("depth").get_weights()
    assert depth[4, 0, 3, 0] == tensors["features.1.weight"][3, 0, 4, 0]
    norm = backbone.get_layer("norm")
    for weight, part in ((norm.gamma, "weight"), (norm.beta, "bias"), (norm.moving_mean, "running_mean")):
        assert np.array_equal(weight.numpy(), tensors[f"features.2.{part}"])
    assert np.array_equal(norm.moving_variance.numpy(), tensors["features.2.running_var"])


def test_other_types_become_float32(backbone, tensors):
    fill(backbone, {name: array.astype(np.float16) for name, array in tensors.items()}, NAMES, left=("fc.",))
    assert {weight.dtype for weight in backbone.get_weights()} == {np.dtype("float32")}


def without(tensors, name):
    return {other: array for other, array in tensors.items() if other != name}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: without(t, "features.0.bias"), r"layer conv \(features.0\) has 3x3x3x4 instead of 3x3x3x4, 4"),
        (lambda t: without(without(t, "features.0.bias"), "features.0.weight"), "layer conv .* has nothing instead"),
        (lambda t: t | {"features.0.weight": np.zeros((4, 3, 1, 1))}, "layer conv .* has 1x1x3x4, 4 instead of 3x3"),
        (lambda t: t | {"features.0.weight": np.zeros(12)}, "layer conv .* has 12, 4 instead of"),
        (lambda t: t | {"features.1.weight": np.zeros((4, 4, 5, 5))}, "layer depth .* has 5x5x4x4 instead of 5x5x4x1"),
        (lambda t: t | {"features.1.bias": np.zeros(4)}, "layer depth .* has 5x5x4x1, 4 instead of 5x5x4x1"),
        (
            lambda t: without(t, "features.2.running_var"),
            r"layer norm \(features.2\) has 4, 4, 4 instead of 4, 4, 4, 4",
        ),
        (lambda t: t | {"features.2.bias": np.array(1.0)}, "layer norm .* has 4, one number, 4, 4"),
        (lambda t: t | {"features.2.bias": np.full(4, np.nan)}, "layer norm .* has numbers that are not finite"),
        (lambda t: t | {"features.3.weight": np.zeros(4)}, "it holds the tensor features.3.weight, which the network"),
        (lambda t: t | {"features.0.weight_g": np.zeros(4)}, "it holds the tensor features.0.weight_g"),
        (lambda t: t | {"x\n\u2028": np.zeros(4)}, r"it holds the tensor x\\n\\u2028"),
    ],
)
def test_first_misfit_is_told_and_nothing_is_changed(backbone, tensors, change, reason):
    before = backbone.get_weights()
    with pytest.raises(ValueError, match=reason):
        fill(backbone, change(tensors), NAMES, left=("fc.",))
    assert all(np.array_equal(a, b) for a, b in zip(before, backbone.get_weights(), strict=True))
