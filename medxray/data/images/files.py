"""Files to pixels: recognised by content, the only place that knows units and photometrics. No TensorFlow.

`identify` reads headers only. `read_pixels` decodes what TensorFlow cannot (TIFF, DICOM, unusual BMP); all other
files are decoded by `medxray.data.images.decode`, in training and in the exported graph alike.
"""

import contextlib
import errno
import io
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from medxray.data.images.grey_levels import LUMA, by_percentiles
from medxray.data.images.headers import ImageInfo, bmp_info, jpeg_info, png_info
from medxray.data.images.tiff import decode_quietly, tiff_info, tiff_pixels
from medxray.errors import ImageError, MedxrayError, ReadError, out_of_memory

__all__ = [
    "PICTURE_PIXELS",
    "ImageBytes",
    "ImageInfo",
    "decode_pixels",
    "dicom_patient_key",
    "identify",
    "looks_like_image",
    "opened",
    "path_text",
    "read_pixels",
]

MAX_BYTES = 1 << 30
PICTURE_PIXELS = 630  # longer side of a picture that is drawn for eyes
_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".dcm", ".dicom"))
_HEAD = 132  # bytes that every kind can be known by
# What is wrong with the path of one file, or with its permissions; all else is a failure of the machine.
_OF_THE_PATH = frozenset(
    (
        *(errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP),
        *(errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENXIO),
    )
)
_SIGNATURES = (
    (b"\xff\xd8\xff", jpeg_info),
    (b"\x89PNG\r\n\x1a\n", png_info),
    (b"BM", bmp_info),
    (b"II*\0", tiff_info),
    (b"MM\0*", tiff_info),
    (b"II+\0", tiff_info),
    (b"MM\0+", tiff_info),
)
_UNSUPPORTED = (
    (b"GIF8", "GIF"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\xd8\xff\xf7", "JPEG-LS"),
    (b"%PDF", "PDF"),
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
)


def looks_like_image(path):
    """True for a file that is named like an image or begins like one, whether it can be read or not.

    What is really an image is decided by `identify`, which also says what is wrong with it.

    Args:
        path: a regular file.
    """
    if Path(path).suffix.casefold() in _SUFFIXES:
        return True
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    if head.startswith(b"BM"):
        return b"\0" in head  # a text may begin with these two letters
    return _is_dicom(head) or _is_bare_dicom(head) or any(head.startswith(signature) for signature, _ in _SIGNATURES)


def _is_dicom(head):
    return head[128:_HEAD] == b"DICM"


def _is_bare_dicom(head):
    """Whether it begins with a data element of group 2 or 8, little-endian, as a DICOM without preamble does."""
    if head[:2] not in (b"\x02\0", b"\x08\0") or len(head) < _HEAD or head[3]:
        return False
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    return explicit or int.from_bytes(head[4:8], "little") <= 256


@dataclass(frozen=True)
class ImageBytes:
    """An encoded image in memory, wherever a path may stand.

    Attributes:
        name: what it is called in tables, messages and names of files that are written for it.
        content: what a file would hold, bytes.
    """

    name: str
    content: bytes = field(repr=False)


def identify(image):
    """Recognise an image by its content and read its header.

    Args:
        image: path of the file, whose extension does not matter, or ImageBytes.

    Returns:
        ImageInfo.

    Raises:
        ImageError: not a regular file, not an image, an unsupported kind, a damaged header, or more than 100
            megapixels. The message is the reason only: the caller adds the path.
    """
    with opened(image) as (_, info):
        return info


@contextlib.contextmanager
def opened(image):
    """Open an image once, for its header and its content.

    Args:
        image: path or ImageBytes.

    Yields:
        (binary file positioned at its start, ImageInfo).

    Raises:
        ImageError: as for `identify`.
        ReadError: anything else failed, here or in the block: memory, the disk, or medxray itself.
    """
    with naming(image), _open(image) as file:
        info = _by_content(file)
        file.seek(0)
        yield file, info


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
        "`medxray --debug COMMAND` shows where it happened."
    )


def path_text(image):
    r"""A path, or the name of ImageBytes, as valid Unicode for tables, messages and JSON.

    Bytes that are not UTF-8 become escapes such as `\xff`.
    """
    if isinstance(image, ImageBytes):
        return image.name
    return os.fsencode(image).decode("utf-8", "backslashreplace")


def _open(image):
    if isinstance(image, ImageBytes):
        _check_size(len(image.content))
        return io.BytesIO(image.content)
    try:
        status = os.stat(image)
    except ValueError as error:  # a NUL byte in the path
        raise ImageError("the file name is impossible") from error
    if not stat.S_ISREG(status.st_mode):
        raise ImageError("it is not a regular file")
    _check_size(status.st_size)
    return open(image, "rb")


def _check_size(size):
    if size > MAX_BYTES:
        raise ImageError(f"it has {size / 1e9:.1f} GB, more than the limit of {MAX_BYTES / 1e9:.1f} GB")


def _by_content(file):
    head = file.read(_HEAD)
    if not head:
        raise ImageError("the file is empty")
    if _is_dicom(head):
        from medxray.data.images.dicom import dicom_info  # pydicom takes half a second to import

        file.seek(0)
        return dicom_info(file)
    if _is_bare_dicom(head):
        raise ImageError("a DICOM without its preamble; save it again as a DICOM file")
    for signature, name in _UNSUPPORTED:
        if head.startswith(signature):
            raise ImageError(f"{name} is not supported; convert it to PNG")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        raise ImageError("WebP is not supported; convert it to PNG")
    for signature, reader in _SIGNATURES:
        if head.startswith(signature):
            file.seek(0)
            return reader(file)
    raise ImageError("not an image (PNG, JPEG, BMP, TIFF or DICOM)")


def read_pixels(image, channels):
    """Decode an image that is not native, see `decode_pixels`.

    Args:
        image: path or ImageBytes.
        channels: 1 or 3.

    Returns:
        float32 array (h, w, channels), 0-255.

    Raises:
        ImageError: it cannot be read; reason only.
    """
    with opened(image) as (file, info):
        return decode_pixels(file, info, channels)


def decode_pixels(file, info, channels):
    """Decode an opened image that is not native: TIFF, DICOM or an unusual BMP.

    Args:
        file: binary file at its start.
        info: its ImageInfo.
        channels: 1 for grey (BT.601 luma of colour), 3 for RGB (grey repeated).

    Returns:
        float32 array (h, w, channels), 0-255, black is 0, transparency dropped. 16-bit samples are scaled by the
        percentiles of the content, DICOM as `medxray.data.images.dicom.dicom_pixels` says.

    Raises:
        ImageError: the file is damaged, or is one that `medxray.data.images.decode` decodes; reason only.
    """
    if info.native:
        raise ImageError(f"this {info.format} is decoded by TensorFlow, not here")
    pixels = _READERS[info.format](file, info)
    pixels = by_percentiles(pixels) if pixels.dtype == np.uint16 else pixels.astype(np.float32)
    return _with_channels(pixels, channels)


def _dicom_pixels(file, info):
    from medxray.data.images.dicom import dicom_pixels

    return dicom_pixels(file)


def _bmp_pixels(file, info):
    pixels = decode_quietly(file.read(), cv2.IMREAD_COLOR_RGB)
    if pixels is None or pixels.shape[:2] != (info.height, info.width):
        raise ImageError("the BMP data are truncated or damaged")
    return pixels


_READERS = {"TIFF": tiff_pixels, "DICOM": _dicom_pixels, "BMP": _bmp_pixels}


def dicom_patient_key(path):
    """See `medxray.data.images.dicom.dicom_patient_key`."""
    from medxray.data.images.dicom import dicom_patient_key as key

    with naming(path):
        return key(path)


def _with_channels(pixels, channels):
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], channels, axis=-1)
    return pixels if channels == 3 else (pixels @ np.array(LUMA, np.float32))[..., None]
