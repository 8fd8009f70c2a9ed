"""Gives the backbone of a classifier its initial weights: pretrained ones, those of a file, or random ones."""

import dataclasses
import logging
import os
import warnings
import zipfile
import zlib
from pathlib import Path

import h5py
import keras

from medxray.errors import UnavailableWeightsError, WeightsError
from medxray.models.architectures.row import read_with_keras
from medxray.models.classifier import embedder
from medxray.models.own_preprocessing import preprocessing_of
from medxray.models.pretrained import find_file
from medxray.models.registry import ARCHITECTURES, architecture
from medxray.system import storage

log = logging.getLogger(__name__)
_EXPECTED = "Give a .weights.h5, an .h5 of Keras applications or a run's model.keras"


@dataclasses.dataclass(frozen=True)
class WeightsSource:
    """Where the initial weights of a run came from; stored in run.json.

    Attributes:
        kind: name of the pretrained weights such as "imagenet" or "hed", else "file" or "none".
        path: the file, or None.
        sha256: SHA-256 of that file, or None.
        preprocessing: name of the preprocessing that the model has, which is that of the weights.
    """

    kind: str
    path: str | None = None
    sha256: str | None = None
    preprocessing: str | None = None


def load_weights(model, arch, choice):
    """Give the backbone of a classifier its initial weights.

    Args:
        model: untrained classifier of `arch`, built with the preprocessing of `preprocessing_for(arch, choice)`; its
            backbone is changed in place.
        arch: name of the architecture.
        choice: "auto" (the first of the architecture's pretrained weights that can be had), the name of one of them,
            "none" (random), or a path of a `.weights.h5`, a Keras-applications `.h5` or a `.keras` model of the same
            architecture.

    Returns:
        WeightsSource.

    Raises:
        UnavailableWeightsError: pretrained weights cannot be downloaded, or their package is not installed.
        WeightsError: the weights have another digest, are damaged, or belong to another architecture.
    """
    row = architecture(arch)
    if choice == "none":
        log.info("Weights: random.")
        return WeightsSource("none", preprocessing=preprocessing_of(model))
    if choice == "auto":
        return _load_first(model, row)
    if choice in _pretrained_names():
        source = _named(row, choice)
        return _load_found(model, row, source, find_file(row, source))
    return _load_file(model, row, Path(choice))


def _pretrained_names():
    """Every name of pretrained weights in the table."""
    return dict.fromkeys(source.name for row in ARCHITECTURES.values() for source in row.pretrained)


def _named(row, name):
    """The pretrained weights of that name."""
    for source in row.pretrained:
        if source.name == name:
            return source
    having = [other.name for other in ARCHITECTURES.values() if name in {source.name for source in other.pretrained}]
    raise WeightsError(
        f"--weights {name} is for {', '.join(having)} only. Received --arch {row.name}: give --weights FILE, or "
        "--weights none."
    )


def _load_first(model, row):
    """The first pretrained weights that can be had; where there are none, the reason is that of the first."""
    first = None
    for source in row.pretrained:
        try:
            path = find_file(row, source)
        except UnavailableWeightsError as error:
            first = first or error
            continue
        if first:
            log.info("%s Using the installed %s weights instead.", first, source.name)
        return _load_found(model, row, source, path)
    raise first or WeightsError(f"{row.name} has no pretrained weights. Give --weights none, or --weights FILE.")


def _load_found(model, row, source, path):
    _read(model, row, path, source.read)
    log.info("Weights: %s, %s.", source.name, path)
    return _source(source.name, path, model)


def _load_file(model, row, path):
    if not os.path.isfile(path):  # a name may be longer than pathlib accepts
        names = ", ".join(["auto", *_pretrained_names(), "none"])
        raise WeightsError(f"--weights must be {names} or a file. There is no file {path}.")
    if path.suffix == ".keras":
        _copy(_donor(row, path), model, row, path)
    elif path.suffix == ".h5":
        _read(model, row, path, read_with_keras)
    else:
        raise _damaged(row, path, f"its name ends in '{path.suffix}'")
    log.info("Weights: %s.", path)
    return _source("file", path, model)


def _read(model, row, path, read):
    """Let a function put a file into the backbone of a model."""
    try:
        if path.suffix == ".h5":  # Keras takes some damaged files for its own zip format
            h5py.File(path, "r").close()
        with warnings.catch_warnings(action="ignore"):  # Keras warns once for each layer it does not find
            read(embedder(model), path)
    except OSError as error:
        raise _damaged(row, path, first_line(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise _foreign(row, path, first_line(error)) from error


def _donor(row, path):
    """The model in a `.keras` file."""
    try:
        with zipfile.ZipFile(path) as archive:
            if member := archive.testzip():
                raise _damaged(row, path, f"{member} in it is not as it was written")
        donor = keras.models.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(row, path, first_line(error)) from error
    if donor.name != row.name:
        raise _foreign(row, path, f"it holds the model {donor.name}")
    return donor


def _copy(donor, model, row, path):
    """Copy the weights of the backbone's layers by name; every one of them has to be there with the same shape."""
    theirs = {layer.name: layer for layer in donor.layers}
    for layer in embedder(model).layers:
        if not layer.weights:
            continue
        given = theirs[layer.name].get_weights() if layer.name in theirs else []
        if [value.shape for value in given] != [tuple(weight.shape) for weight in layer.weights]:
            raise _foreign(row, path, f"layer {layer.name} is missing or of another shape")
        layer.set_weights(given)


def _damaged(row, path, reason):
    return WeightsError(f"{path} is damaged, or no file of weights ({reason}). {_EXPECTED} of {row.name}.")


def _foreign(row, path, reason):
    return WeightsError(
        f"{path} does not hold weights of {row.name}: {reason}. {_EXPECTED} of the same architecture and --channels."
    )


def first_line(error):
    """What an error of Keras says, in at most 160 signs of one line."""
    return (str(error).splitlines() or [""])[0].strip(" .")[:160] or type(error).__name__


def _source(kind, path, model):
    return WeightsSource(kind, str(path), storage.file_sha256(path), preprocessing_of(model))
