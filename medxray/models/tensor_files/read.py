"""The one way in: a file of tensors -> arrays by their names."""

from pathlib import Path

from medxray.errors import WeightsError
from medxray.models.tensor_files import old_torch, safetensors, zip_torch
from medxray.models.tensor_files.refused import Refused, shown
from medxray.models.tensor_files.tensors import Tensor

SUFFIXES = (".pth", ".pt", ".bin", ".safetensors")
_LARGEST_FILE = 4 << 30  # bytes; the largest network of the table, VGG19, has 0.6 GB
_WRAPPERS = ("state_dict", "model_state_dict", "model")
_PARALLEL = "module."  # put before every name by DataParallel


def read_tensors(path):
    """Read the tensors of a file of PyTorch (a state_dict) or of safetensors, whatever its name.

    Nothing in the file is executed: foreign Python objects are refused, not made. The file is held in memory once, and
    the arrays of the old format and of safetensors are views of it.

    Args:
        path: of the file.

    Returns:
        dict name -> read-only numpy array, in the order of the file; bfloat16 becomes float32. A state_dict in a
        checkpoint is taken out of it, and the `module.` of DataParallel off the names.

    Raises:
        WeightsError: the file is damaged, too large, of no such kind, or holds more than tensors.
    """
    try:
        return _read(_content(Path(path)))
    except Refused as refused:
        raise WeightsError(
            f"{path} cannot be read as tensors: {refused}. Expected a state_dict saved by PyTorch, or a .safetensors."
        ) from refused


def _content(path):
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise Refused(f"it has more than {_LARGEST_FILE} bytes")
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}. Check the path and its permissions.") from error


def _read(content):
    if content.startswith(zip_torch.START):
        return zip_torch.read(content, state_dict)
    if content.startswith(old_torch.START):
        return old_torch.read(content, state_dict)
    if safetensors.is_safetensors(content):
        return safetensors.read(content, state_dict)
    raise Refused("it begins like no such file")


def state_dict(value):
    """The tensors by name in what a file holds: a dict of them, or a checkpoint with such a dict in it.

    Raises:
        Refused: there is none, or something else stands among the tensors.
    """
    if type(value) is dict:
        value = next((value[key] for key in _WRAPPERS if isinstance(value.get(key), dict)), value)
    if not isinstance(value, dict) or not value:
        raise Refused("it holds no dict of tensors")
    for name, tensor in value.items():
        if type(name) is not str or not isinstance(tensor, Tensor):
            raise Refused(f"{shown(name)} is no tensor but a {type(tensor).__name__}")
    parallel = all(name.startswith(_PARALLEL) for name in value)
    return {name.removeprefix(_PARALLEL) if parallel else name: tensor for name, tensor in value.items()}
