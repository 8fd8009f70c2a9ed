"""EfficientNet-Lite: its blocks, and its features against those of the package in PyTorch."""

import keras
import numpy as np
import pytest

from medxray.errors import WeightsError
from medxray.models.classifier import build_classifier, freeze_before
from medxray.models.registry import architecture
from medxray.models.weights import load_weights
from tests.fixtures import torch_bytes as made

NAMES = ["efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"]


def build(name, size=32, channels=3):
    return build_classifier(name, image_size=size, channels=channels, classes=2, units=0)


@pytest.mark.parametrize(
    ("name", "filters", "repeats", "parameters"),
    [
        (NAMES[0], (16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1), 4_652_008),
        (NAMES[1], (16, 24, 40, 80, 112, 192, 320), (1, 3, 3, 4, 4, 5, 1), 5_416_680),
        (NAMES[2], (16, 24, 48, 88, 120, 208, 352), (1, 3, 3, 4, 4, 5, 1), 6_092_072),
    ],
)
def test_blocks_have_the_published_widths_and_depths(name, filters, repeats, parameters):
    """Parameters: those that are trained, with the 1,000 classes of ImageNet, as the package counts them."""
    model = build(name)
    projections = [layer for layer in model.layers if layer.name.endswith("_project_conv")]
    for stage in range(1, 8):
        kernels = [layer.filters for layer in projections if layer.name.startswith(f"block{stage}")]
        assert kernels == [filters[stage - 1]] * repeats[stage - 1]
    backbone = keras.Model(model.input, model.get_layer("top_relu").output)
    assert sum(int(np.prod(weight.shape)) for weight in backbone.trainable_weights) + 1281 * 1000 == parameters


def test_pretrained_normalization_is_frozen_while_all_else_is_trained():
    model = build(NAMES[0])
    freeze_before(model, None, train_normalization=False)
    norms = [layer for layer in model.layers if layer.name.endswith("_bn")]
    convolutions = [layer for layer in model.layers if layer.name.endswith("_conv")]
    assert len(norms) == len(convolutions) == 49
    assert not any(layer.trainable for layer in norms) and all(layer.trainable for layer in convolutions)


def tensors_of(model):
    """The file of the package for the weights of a model."""
    from medxray.models.architectures.efficientnet_lite import _names

    found = {"_fc.weight": np.zeros((3, 1280)), "_fc.bias": np.zeros(3)}
    for ours, theirs in _names(1.0, 1.0).items():
        values = model.get_layer(ours).get_weights()
        if len(values) == 1:
            order = (2, 3, 0, 1) if "depth" in ours else (3, 2, 0, 1)
            found[f"{theirs}.weight"] = values[0].transpose(order)
        else:
            parts = zip(("weight", "bias", "running_mean", "running_var"), values, strict=True)
            found |= {f"{theirs}.{part}": value for part, value in parts}
    return found


@pytest.fixture
def serve(monkeypatch, tmp_path):
    """Function (tensors): the package holds them from now on."""

    def serving(tensors):
        (tmp_path / "net.pth").write_bytes(made.old_file(*made.state_dict(tensors)))
        monkeypatch.setattr("medxray.models.weights.find_file", lambda row, source: tmp_path / "net.pth")

    return serving


def test_file_of_the_package_fills_every_layer(serve):
    donor, model = build(NAMES[0]), build(NAMES[0])
    draw = np.random.default_rng(1)
    donor.set_weights([draw.uniform(0.1, 1, weight.shape) for weight in donor.get_weights()])
    serve(tensors_of(donor))
    assert load_weights(model, NAMES[0], "auto").kind == "imagenet"
    for layer in model.layers[: [each.name for each in model.layers].index("pooled")]:
        expected = donor.get_layer(layer.name).get_weights()
        assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights(), expected, strict=True))


def test_file_of_another_size_is_told_by_its_first_layer_that_does_not_fit(serve):
    serve(tensors_of(build(NAMES[0])))
    with pytest.raises(WeightsError, match="layer block2c_depth_conv .* has 5x5x144x1 instead of 3x3x144x1"):
        load_weights(build(NAMES[2]), NAMES[2], "imagenet")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_features_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    package = pytest.importorskip("efficientnet_lite_pytorch", reason="efficientnet-lite-pytorch is not installed")
    row = architecture(name)
    model = build(name, row.default_size)
    source = load_weights(model, name, "imagenet")
    network = package.EfficientNet.from_name(name).eval()
    network.load_state_dict(torch.load(source.path, weights_only=True))
    images = np.random.default_rng(0).uniform(0, 255, (2, row.default_size, row.default_size, 3)).astype(np.float32)
    with torch.no_grad():
        expected = network.extract_features(torch.from_numpy((images - 127) / 128).permute(0, 3, 1, 2))
    found = keras.Model(model.input, model.get_layer(row.heat_layer).output)(images).numpy()
    np.testing.assert_allclose(found, expected.permute(0, 2, 3, 1).numpy(), atol=1e-4)
    grey = build(name, row.default_size, channels=1)
    grey.set_weights(model.get_weights())
    plane = images[..., :1]
    np.testing.assert_allclose(grey(plane), model(np.repeat(plane, 3, axis=-1)), atol=1e-5)
