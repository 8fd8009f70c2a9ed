"""The format of safetensors: the length of a header, the header as JSON, the numbers.

The package safetensors is not used: its arrays of NumPy have no bfloat16, in which networks are often published, and
what is left of the format, once offsets are checked as those of PyTorch are, is a JSON header.

Source: https://github.com/huggingface/safetensors#format.
"""

import json
import math

from medxray.models.tensor_files.cursor import Cursor
from medxray.models.tensor_files.refused import Refused, shown
from medxray.models.tensor_files.tensors import MOST_DIMENSIONS, MOST_ELEMENTS, Storage, Tensor, arrays

_LARGEST_HEADER = 4 << 20  # bytes; a network of 1,000 tensors has 0.1 MB
_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}


def is_safetensors(content):
    """Whether a file begins with the length of a header in it, and a brace."""
    return len(content) > 8 and content[8:9] == b"{" and int.from_bytes(content[:8], "little") <= len(content) - 8


def read(content, choose):
    """Read a file; arguments, result and errors as for `old_torch.read`."""
    cursor = Cursor(content)
    entries = _header(cursor)
    data = cursor.take(cursor.left)
    entries.pop("__metadata__", None)
    places = {name: _place(name, entry) for name, entry in entries.items()}
    _check_places(places, len(data))
    tensors = choose({name: _tensor(name, entries[name], places[name]) for name in entries})
    return arrays(tensors, lambda storage: data[slice(*places[storage.key])], file_size=len(content))


def _header(cursor):
    if (length := cursor.number("Q")) > _LARGEST_HEADER:
        raise Refused(f"its header has {length} bytes, where {_LARGEST_HEADER} are the most")
    try:
        return json.loads(bytes(cursor.take(length)), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise Refused(f"its header is no JSON object: {shown(error)}") from error


def _unique(pairs):
    if len(dict(pairs)) != len(pairs):
        raise Refused("a name stands twice in its header")
    return dict(pairs)


def _place(name, entry):
    """First byte of a tensor and the byte behind its last one, counted from the end of the header."""
    fields = entry if isinstance(entry, dict) else {}
    place, shape = fields.get("data_offsets"), fields.get("shape")
    known = (
        isinstance(place, list) and len(place) == 2 and isinstance(shape, list) and str(fields.get("dtype")) in _DTYPES
    )
    numbers = (*place, *shape) if known else ()
    if not known or len(shape) > MOST_DIMENSIONS or not all(type(n) is int and 0 <= n < MOST_ELEMENTS for n in numbers):
        raise Refused(f"{shown(name)} has no known dtype, shape or data_offsets")
    return tuple(place)


def _check_places(places, size):
    """The tensors lie one behind the other and fill the file."""
    end = 0
    for name, place in sorted(places.items(), key=lambda entry: entry[1]):
        if place[0] != end or place[1] < end:
            raise Refused(f"{shown(name)} begins at byte {place[0]} of the numbers, where the one before ends at {end}")
        end = place[1]
    if end != size:
        raise Refused(f"its tensors have {end} bytes, where {size} are there")


def _tensor(name, entry, place):
    shape = tuple(entry["shape"])
    strides = tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
    tensor = Tensor(Storage(name, _DTYPES[entry["dtype"]], math.prod(shape)), 0, shape, strides)
    if tensor.size != place[1] - place[0]:
        raise Refused(f"{shown(name)} has {place[1] - place[0]} bytes, where its shape needs {tensor.size}")
    return tensor
