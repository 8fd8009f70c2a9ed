"""The preprocessing that belongs to a file of weights: networks are of use with that which they were trained with."""

import functools
import json
import zipfile
import zlib
from pathlib import Path

import h5py
import keras

from medxray.errors import WeightsError
from medxray.models.names import PREPROCESSED
from medxray.models.preprocessing import PREPROCESSINGS
from medxray.models.registry import architecture

ATTRIBUTE = "medxray_preprocessing"  # of the HDF5 file
_CONFIG, _LARGEST_CONFIG = "config.json", 64 << 20  # bytes


def preprocessing_for(arch, choice):
    """The preprocessing that a model has to have for its initial weights.

    Args:
        arch: name of the architecture.
        choice: as for `weights.load_weights`.

    Returns:
        A name in the table of preprocessings: that which a converted `.weights.h5` or the `.keras` of a run says, else
        that of the architecture. What is wrong with a file otherwise is for `load_weights` to tell.

    Raises:
        WeightsError: the file names a preprocessing that is not in the table.
    """
    usual, path = architecture(arch).preprocessing, Path(choice)
    if path.suffix == ".h5" and path.is_file():
        return _of_hdf5(path) or usual
    if path.suffix == ".keras" and path.is_file():
        return _of_keras(path) or usual
    return usual


def preprocessing_of(model):
    """The name of a model's preprocessing; WeightsError where its layer `preprocess` is none of the table."""
    return _named(model.get_layer(PREPROCESSED).get_config(), model.name)


def _of_hdf5(path):
    try:
        with h5py.File(path, "r") as file:
            name = file.attrs.get(ATTRIBUTE)
    except OSError:
        return None
    if name is not None and (not isinstance(name, str) or name not in PREPROCESSINGS):
        raise WeightsError(
            f"{path} names the preprocessing {ascii(str(name)[:40])}, where {', '.join(PREPROCESSINGS)} are known. "
            "Convert it again with this version."
        )
    return name


def _of_keras(path):
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_CONFIG).file_size > _LARGEST_CONFIG:
                return None
            layers = json.loads(archive.read(_CONFIG))["config"]["layers"]
        found = [layer["config"] for layer in layers if layer["config"]["name"] == PREPROCESSED]
        return _named(found[0], path) if found else None
    except (OSError, zipfile.BadZipFile, zlib.error, ValueError, KeyError, TypeError, RecursionError):
        return None


def _named(config, owner):
    """The name of the preprocessing that ends in a rescaling of that configuration."""
    for name in PREPROCESSINGS:
        known = _rescaling(name)
        if (config.get("scale"), config.get("offset")) == (known["scale"], known["offset"]):
            return name
    raise WeightsError(f"{owner} has a preprocessing that is none of {', '.join(PREPROCESSINGS)}. Give another file.")


@functools.cache
def _rescaling(name):
    image = keras.Input((1, 1, 3))
    model = keras.Model(image, PREPROCESSINGS[name](image, grey=True))
    return model.get_layer(PREPROCESSED).get_config()
