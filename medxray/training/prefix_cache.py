"""Activations of the frozen layers on disk: computed once per image and view, read through a memory map.

An entry is a folder named by its key with `rows.f16` (float16, row after row) and `entry.json` (shape, finished chunks
with their CRC-32, a description). Rows are written with ordinary writes, so a full disk is an error and not a crash.
Only chunks listed in `entry.json` count; a partly written entry goes on after the last of them.
"""

import contextlib
import logging
import os
import shutil
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medxray.errors import ConfigError, StorageError
from medxray.system import locks, storage

log = logging.getLogger(__name__)
_ROWS, _ENTRY = "rows.f16", "entry.json"


def default_cache_dir():
    """`$MEDXRAY_CACHE_DIR`, else `$XDG_CACHE_HOME/medxray`, else `~/.cache/medxray`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("MEDXRAY_CACHE_DIR") or Path(base) / "medxray")


@dataclass(frozen=True)
class EntryKey:
    """What the activations depend on; equal keys mean equal activations.

    Attributes:
        text: canonical text of all influences (weights digest, cut, size, preprocessing, images, augmentation, seed).
        shape: shape of one row of activations.
        rows: number of images.
        label: short description for people.
    """

    text: str
    shape: tuple[int, ...]
    rows: int
    label: str

    @property
    def name(self):
        """Folder name of the entry: SHA-256 of text, shape and number of rows."""
        return storage.text_sha256(self.text, str(self.shape), str(self.rows))[:32]

    @property
    def row_bytes(self):
        """Size of one row in bytes."""
        return 2 * int(np.prod(self.shape))

    @property
    def total_bytes(self):
        """Size of the complete entry in bytes."""
        return self.rows * self.row_bytes


class Entry:
    """One entry of the cache: how far it is, appending to it, and reading it."""

    def __init__(self, cache_dir, key):
        self.key = key
        self.folder = Path(cache_dir) / key.name
        self._record = self._read_record()

    def _read_record(self):
        try:
            record = storage.read_json(self.folder / _ENTRY)
            chunks = [(int(rows), int(crc)) for rows, crc in record["chunks"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        same = record.get("shape") == list(self.key.shape) and record.get("rows") == self.key.rows
        return chunks if same and sum(rows for rows, _ in chunks) <= self.key.rows else []

    @property
    def done(self):
        """Number of rows that are written and listed."""
        return sum(rows for rows, _ in self._record)

    @property
    def complete(self):
        """Whether every row is there."""
        return self.done == self.key.rows and self._size() == self.key.total_bytes

    def _size(self):
        path = self.folder / _ROWS
        return path.stat().st_size if path.exists() else 0

    def read_again(self):
        """Forget what is known of the entry and read its record anew."""
        self._record = self._read_record()

    def verify(self):
        """Read the record anew, check the chunks against their checksums, forget those from the first bad one on."""
        self._record, good = self._read_record(), []
        with contextlib.suppress(FileNotFoundError), open(self.folder / _ROWS, "rb") as file:
            for rows, crc in self._record:
                if zlib.crc32(file.read(rows * self.key.row_bytes)) != crc:
                    log.warning("Cache entry %s is damaged; it is computed again from there.", self.key.name)
                    break
                good.append((rows, crc))
        self._record = good

    def append(self, activations):
        """Write rows behind the last listed one and list them.

        Args:
            activations: float array (n, *shape); stored as float16.

        Raises:
            StorageError: the disk is full or the activations do not fit into float16. The listed rows stay valid.
        """
        rows = np.ascontiguousarray(activations, np.float16)
        if not np.isfinite(rows).all():
            raise StorageError(
                f"Activations of {self.key.label} are not finite in float16 and cannot be cached. "
                "Train a new run without the cache: --cache-budget 0MB."
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / _ROWS
            with open(path, "r+b" if path.exists() else "w+b") as file:
                file.truncate(self.done * self.key.row_bytes)
                file.seek(0, os.SEEK_END)
                file.write(memoryview(rows).cast("B"))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise storage.storage_error(self.folder / _ROWS, error) from error
        self._record = [*self._record, (len(rows), zlib.crc32(memoryview(rows).cast("B")))]
        self._save_record()

    def _save_record(self):
        record = {
            "label": self.key.label,
            "shape": self.key.shape,
            "rows": self.key.rows,
            "chunks": self._record,
            "updated": time.time(),
        }
        storage.write_json(self.folder / _ENTRY, record)

    def read(self):
        """Memory-map the finished entry: float16 array (rows, *shape), read-only."""
        return np.memmap(self.folder / _ROWS, np.float16, "r", shape=(self.key.rows, *self.key.shape))


class EntryLock:
    """Lock of one entry among processes: many may read it, or one may write it. Held until `release` or exit.

    Between two ways of holding it, it is free for a moment: read the entry's record again afterwards.

    Args:
        folder: folder of the entry; the folder around it is created when missing.
    """

    def __init__(self, folder):
        try:
            self._lock = locks.SharedLock(folder)
        except OSError as error:
            raise storage.storage_error(folder, error) from error

    def share(self):
        """Take the lock for reading."""
        self._lock.share()

    def own(self):
        """Take the lock for writing; waits for other runs and says so."""
        if not self.try_to_own():
            log.info("Another run uses the same activations; waiting for it.")
            self._lock.own()

    def try_to_own(self):
        """Take the lock for writing if it is free; returns whether it was."""
        try:
            self._lock.own(wait=False)
        except locks.Busy:
            return False
        return True

    def release(self):
        """Give the lock back."""
        self._lock.release()


def list_entries(cache_dir):
    """Describe every entry.

    Returns:
        list of dicts with name, label, rows, done, bytes and updated (seconds since the epoch), newest first.
    """
    found = []
    for folder in sorted(Path(cache_dir).glob("*/")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            record = storage.read_json(folder / _ENTRY)
            size = sum(file.stat().st_size for file in folder.iterdir())
            done = sum(rows for rows, _ in record["chunks"])
            fields = {"label": str(record["label"]), "rows": int(record["rows"]), "updated": float(record["updated"])}
            found.append({"name": folder.name, "done": done, "bytes": size, **fields})
    return sorted(found, key=lambda entry: -entry["updated"])


def clear(cache_dir):
    """Remove every entry that no run is using and return (number of entries, bytes) freed; other files stay."""
    count = freed = 0
    for entry in list_entries(cache_dir):
        folder = Path(cache_dir) / entry["name"]
        lock = EntryLock(folder)
        if lock.try_to_own():
            shutil.rmtree(folder)
            count, freed = count + 1, freed + entry["bytes"]
        lock.release()
    return count, freed


def parse_size(text):
    """Read a size such as "20GB", "500 MB" or "1.5GiB" and return bytes.

    Raises:
        ConfigError: it is not a positive number with a unit.
    """
    units = {f"{letter}B": 1000**power for power, letter in enumerate("KMGT", 1)}
    units |= {f"{letter}IB": 1024**power for power, letter in enumerate("KMGT", 1)}
    cleaned = text.replace(" ", "").upper()
    number = cleaned.rstrip("KMGTIB")
    unit = cleaned[len(number) :]
    try:
        if unit in units and float(number) >= 0:
            return int(float(number) * units[unit])
    except (ValueError, OverflowError):
        pass
    raise ConfigError(f"--cache-budget must be a size such as 20GB or 500MB. Received '{text}'.")
