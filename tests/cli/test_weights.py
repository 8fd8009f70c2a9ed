"""`medxray weights list|fetch|convert`."""

import json

import h5py
import keras
import pytest

from medxray.models.classifier import build_classifier, embedder
from medxray.models.own_preprocessing import preprocessing_of
from tests.models.test_convert import tensors_of, write


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


def test_list_names_every_source_and_what_to_do(medxray):
    status, out, _ = medxray("weights", "list")
    assert status == 0
    (line,) = [line for line in out.splitlines() if line.startswith("vgg19 ")]
    assert line.split()[1:4] == ["imagenet", "to", "download"] and line.endswith(
        "notop.h5 (medxray weights fetch vgg19)"
    )
    status, out, _ = medxray("weights", "list", "--json")
    found = json.loads(out)
    assert {"arch", "weights", "state", "origin", "path", "digest", "preprocessing", "note"} == set(found[0])
    assert {"vgg16", "efficientnet-lite2"} < {each["arch"] for each in found}


def test_fetch_prints_the_file(medxray, monkeypatch, tmp_path):
    monkeypatch.setattr("medxray.models.availability.find_file", lambda row, source: tmp_path / source.file)
    status, out, _ = medxray("weights", "fetch", "vgg19")
    assert status == 0 and out.strip().endswith("vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5")
    assert medxray("weights", "fetch", "vgg")[0] == 2


@pytest.fixture
def densenet(tmp_path):
    """A file of torchvision's DenseNet121."""
    model = build_classifier("densenet121", image_size=32, channels=3, classes=2, units=0)
    return write(tmp_path / "net.pth", tensors_of(model, "densenet121"))


def test_file_is_converted_and_what_is_left_out_is_named(medxray, densenet, tmp_path):
    target = tmp_path / "net.weights.h5"
    status, out, err = medxray("weights", "convert", densenet, "--arch", "densenet121", "-o", target)
    assert status == 0 and out.strip() == str(target) and "Left out: classifier.weight" in err and target.is_file()


@pytest.mark.slow
def test_model_is_trained_with_the_preprocessing_of_its_file(medxray, phantoms, tmp_path, without_plots):
    target, runs = tmp_path / "vgg.weights.h5", tmp_path / "runs"
    embedder(build_classifier("vgg16", image_size=32, channels=3, classes=2)).save_weights(target)
    with h5py.File(target, "r+") as file:
        file.attrs["medxray_preprocessing"] = "torch"
    words = ["--data", phantoms, "--runs-dir", runs, "--image-size", 32, "--epochs", 1, "--no-export", "--name", "tiny"]
    words += ["--arch", "vgg16", "--mode", "extract", "--weights", target, "--cache-dir", tmp_path / "cache"]
    assert medxray("train", *words)[0] == 0
    record = json.loads((runs / "tiny" / "run.json").read_text())
    assert record["weights"]["preprocessing"] == "torch" and record["weights"]["kind"] == "file"
    assert preprocessing_of(keras.models.load_model(runs / "tiny" / "model.keras")) == "torch"


def test_errors_are_one_line_and_leave_no_file(medxray, densenet, tmp_path):
    target = tmp_path / "new" / "net.weights.h5"
    for words, reason in (
        ([densenet, "--arch", "resnet50"], "convert with --arch resnet50-v1.5"),
        ([densenet, "--arch", "vgg19"], "layer block1_conv1 (features.0) has nothing instead of"),
        ([tmp_path / "missing.pth", "--arch", "vgg16"], "missing.pth cannot be read: No such file"),
    ):
        status, out, err = medxray("weights", "convert", *words, "-o", target)
        assert status == 1 and out == "" and reason in err and err.count("\n") == 1
    assert not target.parent.exists()
