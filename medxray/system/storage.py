"""Atomic files: what is written is either complete or not there. No TensorFlow."""

import contextlib
import errno
import hashlib
import json
import logging
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from medxray.errors import StorageError

log = logging.getLogger(__name__)
_CHUNK = 1 << 20
_LONGEST_STEM = 240  # bytes of the 255 that a name may have; an extension and a number follow
_END = 80  # bytes of a long stem that are kept at its end


@contextlib.contextmanager
def atomic_path(target):
    """Yield a temporary path beside `target`; on success flush it to disk and rename it over `target`.

    Args:
        target: path of the final file; its folder is created when missing. The temporary file keeps
            the suffix, because some writers (Keras, matplotlib) choose the format by it.

    Yields:
        pathlib.Path to write to.

    Raises:
        StorageError: the disk is full or the folder cannot be written. Nothing is left behind and an
            earlier file of that name is untouched.
    """
    target = Path(target)
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".partial-", suffix=target.suffix, dir=target.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
        _sync_folder(target.parent)
        log.debug("Written: %s", target)
    except OSError as error:
        raise storage_error(target, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _sync_folder(folder):
    """Make a rename survive a power cut, where folders can be opened (on Windows they cannot)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storage_error(target, error):
    """Translate an OSError met while writing `target` into a StorageError with a remedy."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    return StorageError(
        f"Could not write {target}: {reason}. Free disk space or choose another folder, then run the command again."
    )


def check_place(target, *, file=False):
    """Raise StorageError where `target` cannot be written, before the work whose result it is to hold.

    Args:
        target: folder, or file, that is to be made; folders on the way may be missing.
        file: whether it is a file.
    """
    target = Path(target)
    if file and target.is_dir():
        raise storage_error(target, IsADirectoryError(errno.EISDIR, ""))
    place = target.parent if file else target
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise storage_error(target, NotADirectoryError(errno.ENOTDIR, ""))
    if not os.access(place, os.W_OK | os.X_OK):
        raise storage_error(target, PermissionError(errno.EACCES, ""))


def check_space(folder, needed):
    """Raise StorageError where the disk of an existing folder has less than `needed` bytes left."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageError(
            f"{folder} needs about {needed / 1e6:.0f} MB, but its disk has {free / 1e6:.0f} MB left. Free disk space "
            "or choose another folder."
        )


def existing_folder(folder):
    """A folder, or the nearest one above it that exists, pathlib.Path; its disk is the one that is written to."""
    folder = Path(folder)
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def size_text(count):
    """A number of bytes in words: "1.9 GB", "12.0 MB"."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def free_stem(stem, taken):
    """`stem`, or `stem-2`, `stem-3`... when `taken` (set, which it joins) has it; letter case does not count.

    One too long for the name of a file is shortened in the middle.
    """
    stem = _shortened(stem)
    number, free = 1, stem
    while free.casefold() in taken:
        number += 1
        free = f"{stem}-{number}"
    taken.add(free.casefold())
    return free


def _shortened(stem):
    content = os.fsencode(stem)
    if len(content) <= _LONGEST_STEM:
        return stem
    parts = content[: _LONGEST_STEM - _END - 3], content[-_END:]
    return "...".join(part.decode("utf-8", "ignore") for part in parts)


def write_text(path, text):
    r"""Write `text` (str) atomically as UTF-8; bytes of a path that are not UTF-8 become escapes such as `\udcff`."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def write_json(path, value):
    """Write `value` atomically as indented JSON; numbers that are not finite become null."""
    write_text(path, json.dumps(plain(value), indent=2, allow_nan=False) + "\n")


def read_json(path):
    """Read a JSON file; raises OSError or ValueError as `open` and `json` do."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_csv(path, table):
    """Write a pandas table atomically, floats at full precision, without the index."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def write_npz(path, **arrays):
    """Write named arrays atomically as an uncompressed npz (never pickled objects)."""
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)


def plain(value):
    """Turn numpy scalars and arrays, tuples and paths into what JSON knows; nan and inf become None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def file_sha256(path):
    """SHA-256 of a file's content, as 64 hexadecimal characters."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()


def text_sha256(*parts):
    """SHA-256 of text parts joined by newlines, as 64 hexadecimal characters; of paths that are not UTF-8 the bytes."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
