"""Images on disk and in memory, opened and named; and what a failure to read one means. No TensorFlow."""

import contextlib
import errno
import hashlib
import io
import os
import stat
from dataclasses import dataclass, field

from medxray.data.images.array_images import array_image, encoded, has_image
from medxray.errors import ImageError, MedxrayError, ReadError, out_of_memory
from medxray.system.control_characters import escaped

MAX_BYTES = 1 << 30
# What is wrong with the path of one file, or with its permissions; all else is a failure of the machine.
_OF_THE_PATH = frozenset(
    (
        *(errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP),
        *(errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENXIO),
    )
)


@dataclass(frozen=True)
class ImageBytes:
    """An encoded image in memory, wherever a path may stand.

    Attributes:
        name: what it is called in tables, messages and names of files that are written for it.
        content: what a file would hold, bytes.
    """

    name: str
    content: bytes = field(repr=False)


@contextlib.contextmanager
def naming(image):
    """Say of which image a failure is.

    Args:
        image: path or ImageBytes that is read in the block.

    Raises:
        ImageError: as in the block, and for a path that does not exist or may not be read; the message is the reason
            only.
        ReadError: the block failed in any other way; the message begins with the path.
    """
    try:
        yield
    except MedxrayError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OF_THE_PATH:
            raise ImageError(os.strerror(error.errno)) from error
        raise ReadError(f"{path_text(image)}: {_failure(error)}") from error


def _failure(error):
    """Why reading stopped. What the error itself says is left out: it could quote a DICOM header."""
    if out_of_memory(error):
        return "memory ran out while it was read. Close other programs, or use a machine with more memory."
    if isinstance(error, OSError) and error.errno:
        return f"it cannot be read now: {os.strerror(error.errno)}. Check the disk and run the command again."
    return (
        f"medxray failed while it read this file ({type(error).__name__}). The file need not be damaged. "
        "The same command with --verbose shows where it happened."
    )


def path_text(image):
    r"""A path, or the name of ImageBytes, as valid Unicode for tables, messages and JSON.

    Bytes that are not UTF-8 and control characters become escapes such as `\xff` and `\n`.
    """
    if isinstance(image, ImageBytes):
        return escaped(image.name)
    return escaped(os.fsencode(image).decode("utf-8", "backslashreplace"))


def open_image(image):
    """Open an image, a path or ImageBytes, as a binary file; raises ImageError for what is no regular file."""
    if isinstance(image, ImageBytes):
        _check_size(len(image.content))
        return io.BytesIO(image.content)
    inside = array_image(image)
    if inside is not None:
        return io.BytesIO(encoded(inside))
    try:
        status = os.stat(image)
    except ValueError as error:  # a NUL byte in the path
        raise ImageError("the file name is impossible") from error
    if not stat.S_ISREG(status.st_mode):
        raise ImageError("it is not a regular file")
    _check_size(status.st_size)
    return open(image, "rb")


def is_image_file(path):
    """Whether a path leads to a regular file, or to an image inside a MedMNIST file."""
    inside = array_image(path)
    return os.path.isfile(path) if inside is None else has_image(inside)


def content_of(image):
    """All that `open_image` opens, bytes; OSError and ImageError as there."""
    with open_image(image) as file:
        return file.read()


def content_size(path):
    """Bytes of what `open_image` opens, int; OSError and ImageError as there."""
    inside = array_image(path)
    return os.path.getsize(path) if inside is None else len(encoded(inside))


def content_sha256(path):
    """SHA-256 of what `open_image` opens, as 64 hexadecimal characters; OSError and ImageError as there."""
    from medxray.system.storage import file_sha256

    inside = array_image(path)
    return file_sha256(path) if inside is None else hashlib.sha256(encoded(inside)).hexdigest()


def _check_size(size):
    if size > MAX_BYTES:
        raise ImageError(f"it has {size / 1e9:.1f} GB, more than the limit of {MAX_BYTES / 1e9:.1f} GB")
