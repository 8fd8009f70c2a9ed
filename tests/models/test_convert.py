"""Networks of torchvision become weights of Keras, with their preprocessing, and give the same features."""

import re
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from medxray.errors import WeightsError
from medxray.models import torchvision_names
from medxray.models.classifier import build_classifier, embedder
from medxray.models.convert import convert
from medxray.models.own_preprocessing import preprocessing_for, preprocessing_of
from medxray.models.registry import ARCHITECTURES, architecture
from medxray.models.weights import load_weights
from medxray.system import storage
from tests.fixtures import torch_bytes as made
from tests.fixtures.architectures import architectures

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def build(name, size=32, **options):
    return build_classifier(name, image_size=size, channels=3, classes=2, units=0, **options)


def layers_of(model):
    return [layer for layer in embedder(model).layers if layer.weights]


def tensors_of(model, arch):
    """The tensors of torchvision for the weights of a model, with a head that is left out."""
    names = torchvision_names.torchvision_names(arch, [layer.name for layer in layers_of(model)])
    found = {}
    for layer in layers_of(model):
        values, norm = layer.get_weights(), isinstance(layer, keras.layers.BatchNormalization)
        parts = ("weight", "bias", "running_mean", "running_var") if norm else ("weight", "bias")
        values = values if norm else [values[0].transpose(3, 2, 0, 1), *values[1:]]
        found |= {f"{names[layer.name]}.{part}": value for part, value in zip(parts, values, strict=False)}
    return found | {"classifier.weight": np.zeros((2, 2), np.float32)}


def write(path, tensors):
    path.write_bytes(made.old_file(*made.state_dict(tensors)))
    return path


@pytest.fixture(scope="module")
def densenet(tmp_path_factory):
    """A DenseNet121 with random statistics, and its tensors in torchvision's names."""
    model = build("densenet121")
    draw = np.random.default_rng(0)
    model.set_weights([draw.uniform(0.1, 1, weight.shape) for weight in model.get_weights()])
    return model, tensors_of(model, "densenet121")


def test_manual_names_the_architectures_that_can_be_converted():
    text = (Path(__file__).resolve().parents[2] / "docs" / "weights.md").read_text(encoding="utf-8")
    (named,) = re.findall(r"^.*are understood\. Architectures: (.*?)\. The layers", text, re.S | re.M)
    assert tuple(re.findall(r"`([^`]+)`", named)) == torchvision_names.ARCHITECTURES
    assert set(torchvision_names.ARCHITECTURES) < set(ARCHITECTURES)


def test_names_of_densenet_until_2018_become_those_of_today(densenet):
    tensors = densenet[1]
    old = {re.sub(r"(layer\d+\.\w+)([12])\.", r"\1.\2.", name): value for name, value in tensors.items()}
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    assert list(torchvision_names.plain_names(old)) == list(tensors) == list(torchvision_names.plain_names(tensors))


def test_converted_weights_stand_in_every_layer(densenet, tmp_path):
    donor, tensors = densenet
    tensors = {f"module.{name}": value for name, value in tensors.items()}  # as DataParallel names them
    file, target = write(tmp_path / "net.pth", tensors), tmp_path / "net.weights.h5"
    assert convert(file, "densenet121", target) == ["classifier.weight"]
    model = build("densenet121")
    assert load_weights(model, "densenet121", str(target)).kind == "file"
    for mine, theirs in zip(layers_of(model), layers_of(donor), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True))
    with h5py.File(target) as stored:
        assert dict(stored.attrs) == {
            "medxray_architecture": "densenet121",
            "medxray_preprocessing": "torch",
            "medxray_source_sha256": storage.file_sha256(file),
        }


def test_file_that_does_not_fit_is_told_by_its_first_layer_and_nothing_is_written(densenet, tmp_path):
    tensors, target = dict(densenet[1]), tmp_path / "net.weights.h5"
    del tensors["features.transition1.conv.weight"]
    tensors["features.denseblock4.denselayer3.conv2.weight"] = np.zeros((32, 128, 1, 1), np.float32)
    file = write(tmp_path / "net.pth", tensors)
    with pytest.raises(
        WeightsError, match=r"layer pool2_conv \(features.transition1.conv\) has nothing instead of 1x1"
    ):
        convert(file, "densenet121", target)
    with pytest.raises(WeightsError, match=r"layer block1_conv1 \(features.0\) has nothing .* Give the --arch"):
        convert(file, "vgg16", target)
    assert [path.name for path in tmp_path.iterdir()] == ["net.pth"]


def test_networks_that_are_not_those_of_torchvision_are_refused(tmp_path):
    file = write(tmp_path / "net.pth", {"fc.weight": np.zeros((2, 2), np.float32)})
    with pytest.raises(WeightsError, match="the stride on the 1x1 .* convert with --arch resnet50-v1.5"):
        convert(file, "resnet50", tmp_path / "net.weights.h5")
    with pytest.raises(WeightsError, match="--arch must be one of vgg16, .* Received 'shallow-cnn'"):
        convert(file, "shallow-cnn", tmp_path / "net.weights.h5")


def test_target_has_the_ending_of_keras_and_is_not_replaced_unasked(densenet, tmp_path):
    file, target = write(tmp_path / "net.pth", densenet[1]), tmp_path / "net.weights.h5"
    with pytest.raises(WeightsError, match="must end in .weights.h5. Received net.h5"):
        convert(file, "densenet121", "net.h5")
    target.write_text("mine")
    with pytest.raises(WeightsError, match="is there already. Give another name, or --overwrite"):
        convert(file, "densenet121", target)
    assert target.read_text() == "mine"
    convert(file, "densenet121", target, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.pth", "net.weights.h5"]


@pytest.fixture
def stored(tmp_path):
    """Function (preprocessing) -> weights of VGG16 that name it."""

    def storing(name):
        file = tmp_path / "vgg.weights.h5"
        embedder(build("vgg16")).save_weights(file)
        with h5py.File(file, "r+") as opened:
            opened.attrs["medxray_preprocessing"] = name
        return str(file)

    return storing


def test_preprocessing_is_that_of_the_file_and_goes_on_with_the_model(stored, tmp_path):
    file = stored("torch")
    assert preprocessing_for("vgg16", file) == "torch"
    model = build("vgg16", preprocessing="torch")
    source = load_weights(model, "vgg16", file)
    assert (source.preprocessing, preprocessing_of(model)) == ("torch", "torch")
    model.save(tmp_path / "model.keras")
    assert preprocessing_for("vgg16", str(tmp_path / "model.keras")) == "torch"


@pytest.mark.parametrize("choice", ["auto", "none", "imagenet", "missing.h5", "missing.keras"])
def test_preprocessing_is_that_of_the_architecture_where_no_file_says_another(choice):
    assert preprocessing_for("vgg16", choice) == "caffe" and preprocessing_for("densenet121", choice) == "torch"


@pytest.mark.parametrize("name", ["tensorflow", np.array([1, 2]), 3])
def test_unknown_preprocessing_of_a_file_is_an_error(stored, name):
    with pytest.raises(WeightsError, match="names the preprocessing .* where caffe, torch, unit, lite are known"):
        preprocessing_for("vgg16", stored(name))


@pytest.mark.parametrize("content", [b"text", b"PK\x03\x04text", b""])
def test_damaged_files_are_left_to_those_who_load_them(tmp_path, content):
    for name in ("a.weights.h5", "a.keras"):
        (tmp_path / name).write_bytes(content)
        assert preprocessing_for("vgg16", str(tmp_path / name)) == "caffe"


@pytest.mark.parametrize("row", architectures())
def test_preprocessing_of_a_model_is_found_in_its_graph(row):
    model = build_classifier(row.name, image_size=row.minimum_size, channels=1, classes=2, units=0)
    assert preprocessing_of(model) == row.preprocessing


@pytest.mark.slow
@pytest.mark.parametrize("arch", torchvision_names.ARCHITECTURES)
def test_features_of_converted_networks_are_those_of_pytorch(arch, tmp_path):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from tests.fixtures.torchvision_networks import random_network

    network = random_network(arch)
    torch.save({"epoch": 3, "state_dict": network.state_dict()}, tmp_path / "net.pth")
    convert(tmp_path / "net.pth", arch, tmp_path / "net.weights.h5")
    model = build(arch, 96, preprocessing="torch")
    load_weights(model, arch, str(tmp_path / "net.weights.h5"))
    images = np.random.default_rng(0).uniform(0, 255, (2, 96, 96, 3)).astype(np.float32)
    normalised = torch.from_numpy(((images / 255 - MEAN) / DEVIATION).astype(np.float32)).permute(0, 3, 1, 2)
    with torch.no_grad():
        expected = network(normalised).permute(0, 2, 3, 1).numpy()
    found = keras.Model(model.input, model.get_layer(architecture(arch).stages[-1]).output)(images).numpy()
    scale = np.abs(expected).max()
    assert scale > 0.1 and expected.std() > 0.01 * scale
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["old", "zip", "safetensors"])
def test_files_of_pytorch_itself_hold_the_same_in_every_form(form, tmp_path):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from medxray.models.tensor_files.read import read_tensors
    from tests.fixtures.torchvision_networks import random_network

    state = random_network("densenet121").state_dict()
    state["half"], state["turned"] = torch.ones(3).bfloat16(), torch.arange(6).reshape(2, 3)
    if form == "safetensors":
        library = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
        library.save_file(state, tmp_path / "net.pth")
    else:
        state["turned"] = state["turned"].t()
        torch.save(state, tmp_path / "net.pth", _use_new_zipfile_serialization=form == "zip")
    found = read_tensors(tmp_path / "net.pth")
    assert set(found) == set(state)
    for name, tensor in state.items():
        expected = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
        assert np.array_equal(found[name], expected.numpy())
