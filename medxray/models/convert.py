"""Turns a file of torchvision into weights of Keras."""

import logging
from pathlib import Path

import h5py

from medxray.errors import WeightsError
from medxray.models import torchvision_names
from medxray.models.classifier import build_classifier, embedder
from medxray.models.own_preprocessing import ATTRIBUTE
from medxray.models.registry import architecture
from medxray.models.tensor_files.read import read_tensors
from medxray.models.torch_weights import fill
from medxray.models.weights import first_line
from medxray.system import storage

log = logging.getLogger(__name__)
ENDING = ".weights.h5"
_SOURCE, _ARCHITECTURE = "medxray_source_sha256", "medxray_architecture"


def convert(source, arch, target, *, overwrite=False):
    """Convert the convolutions of a network of torchvision; its last layers, which make 1,000 classes, are left out.

    Args:
        source: `.pth` (a state_dict, or a checkpoint with one) or `.safetensors`.
        arch: name in the registry, one of torchvision_names.ARCHITECTURES.
        target: `.weights.h5` that is written; it says which preprocessing the weights need.
        overwrite: replace a file of that name.

    Returns:
        list of str: the names of the tensors that were left out.

    Raises:
        WeightsError: the source cannot be read or does not fit (the first layer that does not is named), or the
            architecture is not one of torchvision's.
        ConfigError: unknown architecture.
        StorageError: the target cannot be written.
    """
    target, row = Path(target), architecture(arch)
    _check_target(target, overwrite)
    backbone = embedder(_untrained(row))
    layers = [layer.name for layer in backbone.layers if layer.weights]
    names = torchvision_names.torchvision_names(arch, layers)
    tensors = torchvision_names.plain_names(read_tensors(source))
    try:
        fill(backbone, tensors, names, left=torchvision_names.HEAD)
    except ValueError as error:
        raise WeightsError(
            f"{source} does not hold {arch} as torchvision has it: {first_line(error)}. Give the --arch of the file."
        ) from error
    facts = {ATTRIBUTE: torchvision_names.PREPROCESSING, _ARCHITECTURE: arch, _SOURCE: storage.file_sha256(source)}
    _write(backbone, target, facts)
    return [name for name in tensors if name.startswith(torchvision_names.HEAD)]


def _check_target(target, overwrite):
    if not target.name.endswith(ENDING):
        raise WeightsError(f"The name of converted weights must end in {ENDING}. Received {target}.")
    if target.exists() and not overwrite:
        raise WeightsError(f"{target} is there already. Give another name, or --overwrite.")


def _untrained(row):
    form = {"image_size": row.minimum_size, "channels": 3, "classes": 2, "units": 0}
    return build_classifier(row.name, **form, preprocessing=torchvision_names.PREPROCESSING)


def _write(backbone, target, facts):
    """Write weights and facts; Keras takes no other ending than its own, which the temporary file lacks."""
    with storage.atomic_path(target) as temporary:
        written = temporary.with_name(f"{temporary.name}{ENDING}")
        try:
            backbone.save_weights(written)
            with h5py.File(written, "r+") as file:
                file.attrs.update(facts)
            written.replace(temporary)
        finally:
            written.unlink(missing_ok=True)
