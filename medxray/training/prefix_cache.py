"""Activations of the frozen layers on disk: computed once per image and view, read through a memory map.

An entry is a folder named by its key. It holds one row for each image, in the order in which they were computed, and
grows: `rows.f16` has the rows (float16), `digests.bin` the SHA-256 of the content of each row's image, and `entry.json`
the finished chunks with their CRC-32. Only chunks listed there count. A listed row is never moved or overwritten, so
that others may read an entry while one process appends to it: a damaged chunk is struck off, and its rows are written
again at the end. Rows are written with ordinary writes, so a full disk is an error and not a crash.
"""

import contextlib
import itertools
import logging
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from medxray.data.rows import Rows
from medxray.errors import StorageError
from medxray.moved import names_of_old_module
from medxray.system import locks, storage

__getattr__ = names_of_old_module(__name__)
log = logging.getLogger(__name__)
FORMAT = 3  # of entries; one of another format is only listed and cleared
RECORD = "entry.json"
_ROWS, _DIGESTS = "rows.f16", "digests.bin"
_DIGEST_BYTES = 32


@dataclass(frozen=True)
class EntryKey:
    """What the activations of an image depend on beside the image; equal keys mean equal activations.

    Attributes:
        text: canonical text of all influences (weights digest, cut, size, preprocessing, augmentation and its view).
        shape: shape of one row of activations.
        label: short description for people.
    """

    text: str
    shape: tuple[int, ...]
    label: str

    @property
    def name(self):
        """Folder name of the entry: SHA-256 of text and shape."""
        return storage.text_sha256(self.text, str(self.shape))[:32]

    @property
    def row_bytes(self):
        """Size of one row in bytes."""
        return 2 * int(np.prod(self.shape))


class _Chunk(NamedTuple):
    """Rows that were appended together; the checksums of one that is struck off are None."""

    rows: int
    crc: int | None
    digests_crc: int | None


def _count(value):
    """A number of a record, None or a whole one; raises ValueError for anything else."""
    if value is not None and (type(value) is not int or value < 0):
        raise ValueError(value)
    return value


class Entry:
    """One entry of the cache: which images it has, appending to it, and reading it."""

    def __init__(self, cache_dir, key):
        self.key = key
        self.folder = Path(cache_dir) / key.name
        self._sound = {}  # (first row, chunk) -> whether it has been checked and found undamaged
        self.read_again()

    def read_again(self):
        """Read anew which images the entry has."""
        self._chunks = self._read_record()
        digests, start = self._read_digests(), 0
        self._places = {}  # digest -> row
        for number, chunk in enumerate(self._chunks):
            part = digests[start * _DIGEST_BYTES : (start + chunk.rows) * _DIGEST_BYTES]
            if chunk.crc is not None and zlib.crc32(part) != chunk.digests_crc:
                self._strike_off(number)
            elif chunk.crc is not None:
                names = (part[at : at + _DIGEST_BYTES].hex() for at in range(0, len(part), _DIGEST_BYTES))
                self._places |= {name: start + row for row, name in enumerate(names)}
            start += chunk.rows

    def _read_record(self):
        """The listed chunks that lie in the file, list."""
        try:
            record = storage.read_json(self.folder / RECORD)
            chunks = [_Chunk(*map(_count, chunk)) for chunk in record["chunks"]]
            same = record["format"] == FORMAT and record["shape"] == list(self.key.shape)
            size = (self.folder / _ROWS).stat().st_size
        except (OSError, ValueError, KeyError, TypeError):
            return []
        ends = itertools.accumulate(chunk.rows * self.key.row_bytes for chunk in chunks)
        return [chunk for chunk, end in zip(chunks, ends, strict=True) if same and end <= size]

    def _read_digests(self):
        try:
            return (self.folder / _DIGESTS).read_bytes()
        except FileNotFoundError:
            return b""

    def _strike_off(self, number):
        self._chunks[number] = _Chunk(self._chunks[number].rows, None, None)

    @property
    def _listed(self):
        return sum(chunk.rows for chunk in self._chunks)

    def missing(self, digests):
        """Those of some digests (iterable of 64 hexadecimal characters) that the entry has no row for: list, each once.

        They keep their order.
        """
        return [digest for digest in dict.fromkeys(digests) if digest not in self._places]

    def verify(self, digests):
        """Check the chunks that hold some images against their checksums, and strike off those that are damaged."""
        wanted, start = {self._places[digest] for digest in digests if digest in self._places}, 0
        for number, chunk in enumerate(self._chunks):
            rows = range(start, start + chunk.rows)
            if not wanted.isdisjoint(rows) and not self._is_sound(rows, chunk):
                self._strike_off(number)
                self._places = {digest: row for digest, row in self._places.items() if row not in rows}
            start += chunk.rows

    def _is_sound(self, rows, chunk):
        known = rows.start, chunk
        if known not in self._sound:
            self._sound[known] = zlib.crc32(self._content(rows)) == chunk.crc
            if not self._sound[known]:
                log.warning("Cache entry %s is damaged; a part of it is computed again.", self.key.name)
        return self._sound[known]

    def _content(self, rows):
        try:
            with open(self.folder / _ROWS, "rb") as file:
                file.seek(rows.start * self.key.row_bytes)
                return file.read(len(rows) * self.key.row_bytes)
        except FileNotFoundError:
            return b""

    def append(self, digests, activations):
        """Write rows behind the last listed one and list them. The caller holds `EntryLock.appending`.

        Args:
            digests: SHA-256 of the content of each image, list of n texts of 64 hexadecimal characters.
            activations: float array (n, *shape); stored as float16.

        Raises:
            StorageError: the disk is full or the activations do not fit into float16. The listed rows stay valid.
        """
        if not digests:
            return
        rows = np.ascontiguousarray(activations, np.float16)
        if not np.isfinite(rows).all():
            raise StorageError(
                f"Activations of {self.key.label} are not finite in float16 and cannot be cached. "
                "Train a new run without the cache: --cache-budget 0MB."
            )
        start, content, names = self._listed, memoryview(rows).cast("B"), b"".join(map(bytes.fromhex, digests))
        self._write(_ROWS, start * self.key.row_bytes, content)
        self._write(_DIGESTS, start * _DIGEST_BYTES, names)
        chunk = _Chunk(len(rows), zlib.crc32(content), zlib.crc32(names))
        self._chunks.append(chunk)
        self._save_record()
        self._sound[start, chunk] = True
        self._places |= {digest: start + row for row, digest in enumerate(digests)}

    def _write(self, name, offset, content):
        path = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(path, "r+b" if path.exists() else "w+b") as file:
                file.seek(offset)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise storage.storage_error(path, error) from error

    def _save_record(self):
        record = {"format": FORMAT, "label": self.key.label, "shape": self.key.shape, "chunks": self._chunks}
        storage.write_json(self.folder / RECORD, record)

    def mark_used(self):
        """Put on record that the entry is in use now; `clear` may leave out what was used lately."""
        with contextlib.suppress(OSError):  # of a folder that cannot be written, whose entry is complete
            os.utime(self.folder / RECORD)

    def read(self, digests):
        """Memory-map the rows of some images, all of which the entry has: data.rows.Rows of float16 (n, *shape)."""
        rows = np.memmap(self.folder / _ROWS, np.float16, "r", shape=(self._listed, *self.key.shape))
        return Rows(rows, [self._places[digest] for digest in digests])


class EntryLock:
    """Locks of one entry among processes, held until they are released or the process ends.

    Who reads or appends shares the use of the entry, so that nobody removes it meanwhile; one at a time appends.

    Args:
        folder: folder of the entry; the folder around it is created when missing.
    """

    def __init__(self, folder):
        self._folder = folder
        with self._as_storage_error():
            self._use = locks.SharedLock(folder)

    def share(self):
        """Use the entry, together with others."""
        with self._as_storage_error():
            self._use.share()

    def try_to_own(self):
        """Have the entry alone, to remove it, if nobody uses it; returns whether nobody did."""
        try:
            self._use.own(wait=False)
        except locks.Busy:
            return False
        return True

    def release(self):
        """Give back the use of the entry."""
        self._use.release()

    @contextlib.contextmanager
    def appending(self):
        """Append for the time of the block; waits for another run that does and says so. Share the use before."""
        with self._as_storage_error():
            lock = locks.SharedLock(self._folder.with_name(f"{self._folder.name}-append"))
            try:
                lock.own(wait=False)
            except locks.Busy:
                log.info("Another run computes the same activations; waiting for it.")
                lock.own()
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def _as_storage_error(self):
        try:
            yield
        except OSError as error:
            raise storage.storage_error(self._folder, error) from error
