"""Storages and the tensors that lie in them: checked descriptions, and the arrays that they describe."""

import math
from dataclasses import dataclass

import numpy as np

from medxray.models.tensor_files.refused import Refused, shown

DTYPES = {  # name of PyTorch -> type of the stored bytes
    "float64": "<f8",
    "float32": "<f4",
    "float16": "<f2",
    "bfloat16": "<u2",  # the upper half of a float32
    "int64": "<i8",
    "int32": "<i4",
    "int16": "<i2",
    "int8": "i1",
    "uint8": "u1",
    "bool": "?",
}
MOST_DIMENSIONS = 8
MOST_ELEMENTS = 2**40  # also the largest offset and stride
_MOST_USES = 4  # bytes of all tensors for each byte of the file


@dataclass(frozen=True)
class Storage:
    """Numbers of one type that lie behind each other.

    Attributes:
        key: name in the file.
        dtype: a key of DTYPES.
        count: how many numbers it has.
    """

    key: str
    dtype: str
    count: int

    @property
    def size(self):
        """Number of bytes."""
        return self.count * np.dtype(DTYPES[self.dtype]).itemsize


@dataclass(frozen=True)
class Tensor:
    """A tensor: element (i, j, ...) is number `offset + i * strides[0] + j * strides[1] + ...` of a storage.

    Attributes:
        storage: Storage.
        offset: number of its first element.
        shape: tuple of lengths.
        strides: tuple of steps, in elements.

    Raises:
        Refused: an element would lie outside of the storage, or two in one place.
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self):
        numbers = (self.offset, *self.shape, *self.strides)
        if len(self.shape) != len(self.strides) or len(self.shape) > MOST_DIMENSIONS:
            raise Refused(f"a tensor has {len(self.shape)} lengths and {len(self.strides)} strides")
        if any(type(number) is not int or number < 0 for number in numbers):
            raise Refused("a tensor has an offset, length or stride that is no number from 0 on")
        if max(numbers) > MOST_ELEMENTS or math.prod(max(length, 1) for length in self.shape) > MOST_ELEMENTS:
            raise Refused(f"a tensor has an offset, length or stride above {MOST_ELEMENTS}")
        if self._last >= self.storage.count:
            raise Refused(f"a tensor reaches beyond its storage {shown(self.storage.key)} of {self.storage.count}")
        self._check_places()

    @property
    def _last(self):
        """Number of its last element in the storage; -1 where it has none and begins in the storage."""
        if 0 in self.shape:
            return self.offset - 1
        return self.offset + sum((length - 1) * step for length, step in zip(self.shape, self.strides, strict=True))

    def _check_places(self):
        """Each step has to pass over all that the smaller steps reach."""
        if 0 in self.shape:
            return
        reach = 0
        for step, length in sorted(zip(self.strides, self.shape, strict=True)):
            if length > 1 and step <= reach:
                raise Refused("a tensor has strides with which elements overlap")
            reach += (length - 1) * step

    @property
    def size(self):
        """Number of bytes of its elements."""
        return math.prod(self.shape) * np.dtype(DTYPES[self.storage.dtype]).itemsize

    def array(self, content):
        """The array, a view of the bytes of the storage (bfloat16: a float32 copy).

        Args:
            content: bytes of the storage, as many as it has.
        """
        dtype = np.dtype(DTYPES[self.storage.dtype])
        strides = [step * dtype.itemsize for step in self.strides]
        view = np.ndarray(self.shape, dtype, content, self.offset * dtype.itemsize, strides)
        return np.asarray(view.astype("<u4") << 16).view("<f4") if self.storage.dtype == "bfloat16" else view


def arrays(tensors, content_of, *, file_size):
    """The arrays of named tensors.

    Args:
        tensors: dict name -> Tensor.
        content_of: function Storage -> its bytes.
        file_size: of the file in bytes. Tensors may share storages, but only so far that a copy of each would not be
            much larger than the file.
    """
    total = sum(tensor.size for tensor in tensors.values())
    if total > _MOST_USES * file_size:
        raise Refused(f"its tensors have {total} bytes, {_MOST_USES} times more than the file")
    contents = {tensor.storage: None for tensor in tensors.values()}
    for storage in contents:
        contents[storage] = content_of(storage)
        if len(contents[storage]) != storage.size:
            raise Refused(f"storage {shown(storage.key)} has {len(contents[storage])} bytes instead of {storage.size}")
    return {name: tensor.array(contents[tensor.storage]) for name, tensor in tensors.items()}
