"""Files to pixels: recognised by content, the only place that knows units and photometrics. No TensorFlow.

`identify` reads headers only. `read_pixels` decodes what TensorFlow cannot (TIFF, DICOM, WebP and others); all other
files are decoded by `medxray.data.images.decode`, in training and in the exported graph alike.
"""

import contextlib
import os
from pathlib import Path

import cv2
import numpy as np

from medxray.data.images.access import ImageBytes, naming, open_image, path_text
from medxray.data.images.grey_levels import LUMA, by_percentiles
from medxray.data.images.headers import ImageInfo, bmp_info, jpeg_info, png_info
from medxray.data.images.other_kinds import other_kind
from medxray.data.images.tiff import decode_quietly, tiff_info, tiff_pixels
from medxray.data.images.web_formats import avif_info, gif_info, jpeg2000_info, web_pixels, webp_info
from medxray.errors import ImageError

__all__ = [
    "PICTURE_PIXELS",
    "SUFFIXES",
    "ImageBytes",
    "ImageInfo",
    "decode_pixels",
    "dicom_patient_key",
    "first_bytes",
    "identify",
    "looks_like_image",
    "opened",
    "path_text",
    "read_pixels",
]

PICTURE_PIXELS = 630  # longer side of a picture that is drawn for eyes
SUFFIXES = frozenset(
    ".png .jpg .jpeg .jpe .jfif .bmp .dib .tif .tiff .dcm .dicom .webp .gif .jp2 .j2k .avif .heic .heif".split()
)
_INDEX = "dicomdir"  # of a medium with DICOM files, and one in form
_HEAD = 132  # bytes that every kind can be known by
_SIGNATURES = (
    (b"\xff\xd8\xff", jpeg_info),
    (b"\x89PNG\r\n\x1a\n", png_info),
    (b"BM", bmp_info),
    (b"II*\0", tiff_info),
    (b"MM\0*", tiff_info),
    (b"II+\0", tiff_info),
    (b"MM\0+", tiff_info),
    (b"GIF8", gif_info),
    (b"\0\0\0\x0cjP  ", jpeg2000_info),
    (b"\xff\x4f\xff\x51", jpeg2000_info),
)
_AVIF, _HEIC = (b"avif", b"avis"), (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


def looks_like_image(path):
    """True for a file that is named like an image or begins like one, whether it can be read or not.

    What is really an image is decided by `identify`, which also says what is wrong with it.

    Args:
        path: a file; of pipes and devices the name alone counts.
    """
    name = Path(path).name.casefold()
    if Path(name).suffix in SUFFIXES or name == _INDEX:
        return name != _INDEX
    head = first_bytes(path)
    if head.startswith(b"BM"):
        return b"\0" in head  # a text may begin with these two letters
    return _is_dicom(head) or _is_bare_dicom(head) or _is_heic(head) or _header_reader(head) is not None


def first_bytes(path):
    """The bytes of a regular file that its kind is known by; none where it cannot be read."""
    try:
        if not os.path.isfile(path):  # a pipe would be waited for
            return b""
        with open(path, "rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""


def _header_reader(head):
    """The function that reads the header of a file which begins like this; None where there is none."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return webp_info
    if head[4:8] == b"ftyp" and head[8:12] in _AVIF:
        return avif_info
    return next((reader for signature, reader in _SIGNATURES if head.startswith(signature)), None)


def _is_heic(head):
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC


def _is_dicom(head):
    return head[128:_HEAD] == b"DICM"


def _is_bare_dicom(head):
    """Whether it begins with a data element of group 2 or 8, as a DICOM without preamble does."""
    if len(head) < _HEAD:
        return False
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    if head[:2] in (b"\x02\0", b"\x08\0") and not head[3]:
        return explicit or int.from_bytes(head[4:8], "little") <= 256
    return explicit and head[:2] in (b"\0\x02", b"\0\x08") and not head[2]  # big-endian


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
    with naming(image), open_image(image) as file:
        info = _by_content(file)
        file.seek(0)
        yield file, info


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
    if _is_heic(head):
        raise ImageError("HEIC is not supported; convert it to PNG")
    reader, other = _header_reader(head), other_kind(head)
    if reader is None or other:
        raise ImageError(other or "not an image (PNG, JPEG, BMP, TIFF, DICOM, WebP, GIF, JPEG 2000 or AVIF)")
    file.seek(0)
    return reader(file)


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
    """Decode an opened image that is not native: TIFF, DICOM, WebP, GIF, JPEG 2000, AVIF or an unusual BMP.

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
_READERS |= dict.fromkeys(("WebP", "GIF", "JPEG 2000", "AVIF"), web_pixels)


def dicom_patient_key(path):
    """See `medxray.data.images.dicom.dicom_patient_key`."""
    from medxray.data.images.dicom import dicom_patient_key as key

    with naming(path):
        return key(path)


def _with_channels(pixels, channels):
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], channels, axis=-1)
    return pixels if channels == 3 else (pixels @ np.array(LUMA, np.float32))[..., None]
