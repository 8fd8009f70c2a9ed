"""Version folders as TensorFlow Serving wants them; a half-written one never looks complete. No TensorFlow."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from medxray.system import locks
from medxray.system.storage import storage_error

_PREFIX = ".partial-"


@contextlib.contextmanager
def staging(base):
    """Yield an empty folder inside `base` whose name is no version number; it is removed at the end.

    What killed exports left in `base` is removed first, unless another process is exporting there now.

    Args:
        base: folder of the versions, created when missing and removed again when it stays empty.

    Yields:
        pathlib.Path to write to; hand it to `publish` when it is complete.

    Raises:
        StorageError: disk full or no permission.
    """
    folder = None
    try:
        base.mkdir(parents=True, exist_ok=True)
        with _in_use(base):
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
            yield folder
    except OSError as error:
        raise storage_error(base, error) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            base.rmdir()


@contextlib.contextmanager
def _in_use(base):
    """Share the lock of `base` with other exports; whoever can have it alone first removes what killed ones left."""
    lock = _lock_of(base)
    if lock is None:
        yield
        return
    try:
        with contextlib.suppress(locks.Busy, OSError):  # another export is at work
            lock.own(wait=False)
            for left in base.glob(f"{_PREFIX}*/"):
                shutil.rmtree(left, ignore_errors=True)
        with contextlib.suppress(OSError):
            lock.share()
        yield
    finally:
        lock.release()


def _lock_of(base):
    """The lock of `base`; None where the folder around it is not to be written or the file system has no locks."""
    try:
        return locks.SharedLock(base)
    except OSError:
        return None


def publish(folder, base):
    """Flush a complete staging folder to disk and rename it to the next version number.

    Returns:
        path of the version folder, `<base>/<n>` with n one above the highest number there, or 1.
    """
    for entry in folder.rglob("*"):
        if entry.is_file():
            with open(entry, "rb+") as file:
                os.fsync(file.fileno())
    folder.chmod(0o755)
    number = max((int(entry.name) for entry in base.iterdir() if entry.name.isdecimal()), default=0) + 1
    while True:
        try:
            return folder.rename(base / str(number))
        except OSError:
            if not (base / str(number)).exists():
                raise
            number += 1  # another export took the number in the meantime
