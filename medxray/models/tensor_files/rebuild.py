"""The Python objects that a checkpoint of PyTorch may name, and what stands for them here. All others are refused."""

from collections import OrderedDict
from dataclasses import dataclass

from medxray.models.tensor_files.refused import Refused, shown
from medxray.models.tensor_files.tensors import Storage, Tensor

_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
_LARGEST_KEY = 1_000_000  # the state of an optimizer is numbered


@dataclass(frozen=True)
class StorageType:
    """A class of storages; `dtype` is a key of tensors.DTYPES."""

    dtype: str


@dataclass(frozen=True)
class Call:
    """A function that a checkpoint may have called."""

    name: str
    run: object


def named(module, name):
    """What stands for an object that a checkpoint names; Refused where it is not in the list."""
    if module == "torch" and name in _STORAGES:
        return StorageType(_STORAGES[name])
    for call in _CALLS:
        if call.name == f"{module}.{name}":
            return call
    raise Refused(
        f"it asks for the Python object {shown(module)}.{shown(name)}, which is not run; "
        "only tensors are read: save the state_dict of the network"
    )


def called(call, arguments):
    """The result of a function of the list."""
    if not isinstance(call, Call) or type(arguments) is not tuple:
        raise Refused("it calls something that is no function of PyTorch")
    try:
        return call.run(*arguments)
    except TypeError as error:
        raise Refused(f"{call.name} is called with {len(arguments)} arguments") from error


def storage(parts, known):
    """The storage of a persistent id, which is added to a dict key -> Storage.

    Args:
        parts: ("storage", StorageType, key, device, count), and None behind it in the old format.
        known: dict key -> Storage of those met before.
    """
    if type(parts) is not tuple or len(parts) not in (5, 6) or parts[0] != "storage":
        raise Refused("a storage is not described as PyTorch does")
    _, kind, key, _, count, *view = parts
    if not isinstance(kind, StorageType) or type(key) is not str or type(count) is not int or count < 0:
        raise Refused("a storage has no known type, name or length")
    if view not in ([], [None]):
        raise Refused(f"storage {shown(key)} is a part of another one; save the file again with a newer PyTorch")
    found = known.setdefault(key, Storage(key, kind.dtype, count))
    if (found.dtype, found.count) != (kind.dtype, count):
        raise Refused(f"storage {shown(key)} is described in two ways")
    return found


def _tensor(held, offset, shape, strides):
    if not isinstance(held, Storage) or type(shape) is not tuple or type(strides) is not tuple:
        raise Refused("a tensor is not described as PyTorch does")
    return Tensor(held, offset, shape, strides)


def _tensor_v2(held, offset, shape, strides, requires_grad, hooks, metadata=None):
    if hooks or metadata:
        raise Refused("a tensor has hooks, or is stored negated or conjugated")
    return _tensor(held, offset, shape, strides)


def _parameter(tensor, requires_grad, hooks):
    if not isinstance(tensor, Tensor) or hooks:
        raise Refused("a parameter is no tensor, or has hooks")
    return tensor


def _ordered_dict(pairs=()):
    """An ordered dict; Python 2 wrote its items as a list of lists."""
    result = OrderedDict()
    for pair in pairs if type(pairs) is list else ():
        if type(pair) is not list or len(pair) != 2:
            raise Refused("an OrderedDict is not described as Python 2 does")
        put(result, *pair)
    return result


def put(target, key, value):
    """Add an entry to a dict; Refused where the key is there already, or is neither text nor a small number."""
    if type(key) is not str and not (type(key) is int and 0 <= key < _LARGEST_KEY):
        raise Refused(f"a key is of the type {type(key).__name__}, not text or a small whole number")
    if key in target:
        raise Refused(f"the key {shown(key)} stands twice in it")
    target[key] = value


_CALLS = (
    Call("collections.OrderedDict", _ordered_dict),
    Call("torch._utils._rebuild_tensor", _tensor),
    Call("torch._utils._rebuild_tensor_v2", _tensor_v2),
    Call("torch._utils._rebuild_parameter", _parameter),
)
