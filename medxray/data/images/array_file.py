"""MedMNIST files: splits of images and labels as arrays in one npz, checked before a pixel is read. No TensorFlow."""

import math
import os
import tempfile
import threading
import tokenize
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from medxray.errors import ImageError

SPLITS = ("train", "val", "test")
_MEMBERS = tuple(f"{split}_{part}.npy" for split in SPLITS for part in ("images", "labels"))
_MOST_MEMBERS = 32
_SIDES = (8, 1024)  # least and greatest height and width in pixels
_MOST_BYTES = 32 << 30  # of the images of a file, unpacked
_MOST_LABELS = 1 << 24
_SURE, _DENSEST = 64 << 20, 100  # a member above so many bytes may not be packed more than a hundredfold
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_CHUNK = 1 << 22
_SHOWN = 6


class ArrayHeader(NamedTuple):
    """What the head of a member says: shape, type of its numbers, order in memory, bytes of the head."""

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool
    start: int


@dataclass(eq=False)
class ArrayFile:
    """A checked MedMNIST file; pixels are unpacked when an image is asked for.

    Attributes:
        path: of the npz.
        headers: dict split -> ArrayHeader of its images, uint8 (n,h,w) or (n,h,w,3).
        labels: dict split -> int64 array (n,).
    """

    path: Path
    headers: dict[str, ArrayHeader]
    labels: dict[str, np.ndarray]
    _pixels: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def side(self):
        """The longer side of an image in pixels."""
        return max(self.headers["train"].shape[1:3])

    def count(self, split):
        """Number of images of a split."""
        return self.headers[split].shape[0]

    def pixels(self, split, row):
        """One image, uint8 (h,w) or (h,w,3), RGB.

        Raises:
            ImageError: the file is damaged.
        """
        with self._lock:
            if split not in self._pixels:
                self._pixels[split] = _unpacked(self.path, f"{split}_images.npy", self.headers[split])
        return self._pixels[split][row]


def read_array_file(path):
    """Check an npz and read its labels.

    Args:
        path: of the file.

    Returns:
        ArrayFile.

    Raises:
        ImageError: it is no MedMNIST file of one label per image, or is damaged or hostile; the message is the reason.
    """
    with _opened(path) as archive:
        members = _members(archive)
        headers = {name: _header(archive, info) for name, info in members.items()}
        images = {split: headers[f"{split}_images.npy"] for split in SPLITS}
        for split, header in images.items():
            _check_images(split, header)
            _check_labels(split, headers[f"{split}_labels.npy"], header.shape[0])
        _check_alike(images)
        labels = {split: _labels(archive, split, headers[f"{split}_labels.npy"]) for split in SPLITS}
    return ArrayFile(Path(path), images, labels)


class _opened:
    """A zip archive; what is wrong with it becomes an ImageError."""

    def __init__(self, path):
        self._path = path

    def __enter__(self):
        try:
            self._archive = zipfile.ZipFile(self._path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise ImageError(f"it is no whole npz file ({error})") from error
        return self._archive

    def __exit__(self, kind, error, trace):
        self._archive.close()
        if kind and issubclass(kind, zipfile.BadZipFile | zlib.error | EOFError):
            raise ImageError(f"it is damaged ({error})") from error


def _members(archive):
    """The ZipInfo of each array that belongs to the set, by name."""
    infos = archive.infolist()
    names = [info.filename for info in infos]
    if len(names) > _MOST_MEMBERS:
        raise ImageError(f"it holds {len(names)} arrays; a MedMNIST file holds {len(_MEMBERS)}")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ImageError(f"it holds {twice!r} twice")
    missing = [name.removesuffix(".npy") for name in _MEMBERS if name not in names]
    if missing:
        shown = ", ".join(name.removesuffix(".npy") for name in names[:_SHOWN]) or "nothing"
        more = ", ..." if len(names) > _SHOWN else ""
        raise ImageError(f"it lacks {missing[0]}, which a MedMNIST file has. It holds: {ascii(shown)[1:-1]}{more}")
    for info in infos:
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ImageError(f"{info.filename!r} is encrypted or packed in an unusual way")
    return {name: archive.getinfo(name) for name in _MEMBERS}


def _header(archive, info):
    """The ArrayHeader of a member whose size is what its head says."""
    with archive.open(info) as member:
        try:
            shape, fortran, dtype = _HEADERS[np.lib.format.read_magic(member)](member)
        except (ValueError, KeyError, SyntaxError, tokenize.TokenError, RecursionError) as error:
            raise ImageError(f"{info.filename} is no array, or one of objects") from error
        start = member.tell()
    if dtype.hasobject:
        raise ImageError(f"{info.filename} is an array of objects, which is never loaded")
    if any(side < 0 for side in shape) or start + math.prod(shape) * dtype.itemsize != info.file_size:
        raise ImageError(f"{info.filename} says shape {shape} of {dtype}, but has {info.file_size} bytes")
    if info.file_size > max(_SURE, _DENSEST * info.compress_size):
        raise ImageError(f"{info.filename} unpacks to {info.file_size / 1e9:.1f} GB from {info.compress_size} bytes")
    return ArrayHeader(shape, dtype, fortran, start)


def _check_images(split, header):
    shape, colour = header.shape, len(header.shape) == 4
    least, greatest = _SIDES
    fits = (
        len(shape) in (3, 4) and all(least <= side <= greatest for side in shape[1:3]) and (not colour or shape[3] == 3)
    )
    if header.dtype != np.uint8 or header.fortran or not fits:
        raise ImageError(
            f"{split}_images has shape {shape} of {header.dtype}. Expected 2-D images, uint8 (n,h,w) or (n,h,w,3), "
            f"with sides of {least} to {greatest} pixels"
        )


def _check_labels(split, header, images):
    shape = header.shape
    if len(shape) == 2 and shape[1] > 1 and shape[0] == images:
        raise ImageError(
            f"it has {shape[1]} labels for each image (multi-label, as ChestMNIST). Expected one: take a MedMNIST set "
            "with one class per image"
        )
    if header.dtype.kind not in "biu" or header.fortran or shape not in ((images,), (images, 1)):
        raise ImageError(f"{split}_labels has shape {shape} of {header.dtype}. Expected one whole number per image")
    if images > _MOST_LABELS:
        raise ImageError(f"{split}_images holds {images} images, more than the limit of {_MOST_LABELS}")


def _check_alike(images):
    if len({header.shape[1:] for header in images.values()}) > 1:
        shapes = ", ".join(f"{split} {header.shape[1:]}" for split, header in images.items())
        raise ImageError(f"the images of its splits differ in size: {shapes}")
    total = sum(math.prod(header.shape) for header in images.values())
    if total > _MOST_BYTES:
        raise ImageError(f"its images have {total / 1e9:.1f} GB, more than the limit of {_MOST_BYTES / 1e9:.1f} GB")


def _labels(archive, split, header):
    with archive.open(f"{split}_labels.npy") as member:
        data = member.read()[header.start :]
    if len(data) != header.shape[0] * header.dtype.itemsize:
        raise ImageError(f"{split}_labels is cut off")
    values = np.frombuffer(data, header.dtype).astype(np.int64)
    if values.size and values.min() < 0:
        raise ImageError(f"{split}_labels has the label {values.min()}. Expected 0 or more")
    return values


def _unpacked(path, name, header):
    """The array of a member in a temporary file, mapped into memory; the file is gone when the array is."""
    with _opened(path) as archive, archive.open(name) as member, tempfile.TemporaryFile() as file:
        while block := member.read(_CHUNK):
            file.write(block)
        file.flush()
        if file.tell() != header.start + math.prod(header.shape):
            raise ImageError(f"{name} is cut off")
        if not math.prod(header.shape):
            return np.zeros(header.shape, np.uint8)
        return np.memmap(file, np.uint8, "r", offset=header.start, shape=header.shape)


_KNOWN, _KNOWN_LOCK = {}, threading.Lock()


def array_file(path):
    """`read_array_file`, once for a file that does not change.

    Raises:
        ImageError: as there.
        OSError: there is no such file.
    """
    status = os.stat(path)
    key = (os.path.realpath(path), status.st_mtime_ns, status.st_size)
    with _KNOWN_LOCK:
        if key not in _KNOWN:
            opened = read_array_file(path)
            _KNOWN.clear()  # one at a time: the images of a large set take room on the disk
            _KNOWN[key] = opened
        return _KNOWN[key]
