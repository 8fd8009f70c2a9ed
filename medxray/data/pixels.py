"""Where decoded pixels are kept: in memory, beyond that in a file, or nowhere."""

import logging
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medxray.data.rows import Rows
from medxray.system import storage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DiskPlace:
    """Where pixels may go that memory has no room for.

    Attributes:
        folder: pathlib.Path; created when missing.
        most: bytes that a file there may have.
    """

    folder: Path
    most: int


class InMemory:
    """Keeps pixels in an array of a shape (n,h,w,c)."""

    def __init__(self, shape):
        self._array, self._done = np.zeros(shape, np.uint8), 0

    def add(self, pixels):
        """Keep the next ones, uint8 (b,h,w,c)."""
        self._array[self._done : self._done + len(pixels)] = pixels
        self._done += len(pixels)

    def rows(self):
        """What was kept, uint8 array (n,h,w,c)."""
        return self._array


class InFile:
    """Keeps pixels of a shape (n,h,w,c) in a temporary file without a name, which goes with the process.

    Raises:
        StorageError: the folder cannot be written or the disk is full.
    """

    def __init__(self, shape, folder):
        self._shape, self._folder = shape, folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115, it is read until nobody needs the pixels
        except OSError as error:
            raise storage.storage_error(folder, error) from error

    def add(self, pixels):
        """Keep the next ones, uint8 (b,h,w,c)."""
        try:
            self._file.write(memoryview(np.ascontiguousarray(pixels)).cast("B"))
            self._file.flush()
        except OSError as error:
            raise storage.storage_error(self._folder / "decoded pixels", error) from error

    def rows(self):
        """What was kept, data.rows.Rows."""
        pixels = np.memmap(self._file, np.uint8, "r", shape=self._shape)
        pixels.file = self._file  # Windows removes the file when it is closed
        return Rows(pixels, np.arange(self._shape[0]))


class Nowhere:
    """Keeps nothing."""

    def add(self, pixels):
        """Let go of them."""

    def rows(self):
        """None."""


def pixel_keeper(shape, *, memory, disk=None):
    """What keeps the pixels of all images, with `add(pixels)` and `rows()`.

    Args:
        shape: (n,h,w,c).
        memory: bytes that memory may hold.
        disk: DiskPlace for what is larger, or None: it is kept nowhere, and files are decoded in every pass.
    """
    total = int(np.prod(shape))
    if total <= memory:
        return InMemory(shape)
    if disk is None:
        return Nowhere()
    free = shutil.disk_usage(storage.existing_folder(disk.folder)).free
    size, place = storage.size_text(total), disk.folder
    if total > min(disk.most, free):
        reason = "than --cache-budget" if total > disk.most else f"than the disk of {place} has left"
        log.warning("Decoded pixels take %s, more %s: files are decoded again in every pass.", size, reason)
        return Nowhere()
    log.info("Decoded pixels (%s) are kept in a temporary file in %s until the command ends.", size, place)
    return InFile(shape, disk.folder)
