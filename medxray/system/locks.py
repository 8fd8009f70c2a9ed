"""Locks among processes, on Linux, macOS and Windows. No TensorFlow.

The file of a lock lies beside the folder that it protects, since Windows removes no folder with an open file in it. It
is empty and stays there; a lock is free again as soon as its process ends, however it ends.
"""

import contextlib
import sqlite3

from filelock import FileLock, ReadWriteLock, Timeout


class Busy(Exception):
    """Another process has the lock."""


def lock_file(folder):
    """Path of the file of the lock of `folder` (pathlib.Path): `.NAME.lock` beside it."""
    folder = folder.resolve()
    return folder.with_name(f".{folder.name}.lock")


@contextlib.contextmanager
def alone(folder, *, wait=False):
    """Hold the lock of a folder, which then nobody else has, for the time of the block.

    Args:
        folder: pathlib.Path; it need not exist, the folder around it is created when missing.
        wait: wait until it is free.

    Raises:
        Busy: another process, or another block of this one, holds it and `wait` is false.
        OSError: the file of the lock cannot be written.
    """
    lock = FileLock(lock_file(folder), timeout=-1 if wait else 0)
    try:
        lock.acquire()
    except Timeout as error:
        raise Busy(folder) from error
    try:
        yield
    finally:
        lock.release()


class SharedLock:
    """The lock of a folder that many may share, or one may own; held until `release` or the end of the process.

    It cannot be turned from one way of holding it into the other: both methods give back what is held first, so that
    another process may hold it in between. Check afterwards what you rely on.

    Args:
        folder: pathlib.Path; it need not exist, the folder around it is created when missing.

    Raises:
        OSError: the file of the lock cannot be written, or its file system has no locks.
    """

    def __init__(self, folder):
        file = lock_file(folder)
        file.parent.mkdir(parents=True, exist_ok=True)
        with _as_os_error(file):
            self._lock = ReadWriteLock(file, is_singleton=False)
        self._file, self._held = file, False

    def share(self, *, wait=True):
        """Hold the lock together with others.

        Raises:
            Busy: one owns it and `wait` is false.
            OSError: the file system has no locks.
        """
        self._hold(self._lock.acquire_read, wait)

    def own(self, *, wait=True):
        """Hold the lock alone.

        Raises:
            Busy: others hold it and `wait` is false.
            OSError: the file system has no locks.
        """
        self._hold(self._lock.acquire_write, wait)

    def release(self):
        """Give back what is held; nothing happens when nothing is."""
        if self._held:
            self._lock.release()
            self._held = False

    def _hold(self, acquire, wait):
        self.release()
        try:
            with _as_os_error(self._file):
                acquire(timeout=-1 if wait else 0)
        except Timeout as error:
            raise Busy(self._file) from error
        self._held = True


@contextlib.contextmanager
def _as_os_error(file):
    """`ReadWriteLock` keeps its state in SQLite; let its errors be those of other files."""
    try:
        yield
    except (sqlite3.Error, ValueError) as error:
        raise OSError(f"the lock {file} cannot be used ({error})") from error
