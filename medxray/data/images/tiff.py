"""TIFF: header and pixels. No TensorFlow."""

import struct
import threading

import cv2
import numpy as np

from medxray.data.images.headers import ImageInfo, checked, take
from medxray.data.images.orientation import TAG as ORIENTATION
from medxray.data.images.orientation import UPRIGHT, checked_orientation, untagged
from medxray.data.images.tiff_damage import is_damaged
from medxray.errors import ImageError

_SIZES = {1: "B", 3: "H", 4: "I"}
_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SAMPLES = 256, 257, 258, 262, 277
_SUBFILE, _PLANAR, _EXTRA, _FORMAT = 254, 284, 338, 339
_COMPRESSION, _TILE_WIDTH, _TILE_HEIGHT = 259, 322, 323
_WHITE_IS_ZERO, _PALETTE, _CMYK, _UNASSOCIATED = 0, 3, 5, 2
_UNSIGNED, _SIGNED = 1, 2
_MAX_ENTRIES = 4096
_UNCOMPRESSED = 1
_COMPRESSIONS = (_UNCOMPRESSED, 2, 3, 4, 5, 6, 7, 8, 32773, 32946)  # CCITT, LZW, JPEG, deflate, PackBits
_COLOURS = (_WHITE_IS_ZERO, 1, 2, _PALETTE, _CMYK, 6)  # grey, RGB, palette, CMYK, YCbCr
_NAMES = {  # of what is not read
    **{33003: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA"},
    **{50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL"},
}
_log_level = threading.Lock()


def tiff_info(file):
    """ImageInfo of a TIFF; raises ImageError for kinds that are not read.

    Read are 1-, 8- and 16-bit grey, RGB, RGBA, CMYK (8 bit) and palette pictures with one page, unsigned, and signed
    ones of 16 bits.
    """
    tags = _tags(file)
    bits, samples, kind = tags.get(_BITS, 1), tags.get(_SAMPLES, 1), tags.get(_FORMAT, _UNSIGNED)
    readable = kind == _UNSIGNED or (kind == _SIGNED and bits == 16)
    if not readable or bits not in (1, 8, 16) or samples not in (1, 2, 3, 4):
        name = {_UNSIGNED: "", _SIGNED: "signed ", 3: "floating-point "}.get(kind, "unknown ")
        raise ImageError(f"TIFF with {samples} channels of {name}{bits} bits is not supported; convert it to PNG")
    if bits == 16 and (samples == 2 or (samples > 1 and tags.get(_PLANAR, 1) != 1)):
        raise ImageError("16-bit TIFF with separate planes or grey with alpha is not supported; convert it to PNG")
    _check_readable(tags, bits)
    channels = 3 if tags.get(_PHOTOMETRIC) == _PALETTE else samples
    turned = checked_orientation(tags.get(ORIENTATION, UPRIGHT))
    return checked(ImageInfo("TIFF", tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0), bits, channels, False, turned))


def _check_readable(tags, bits):
    """Refuse what OpenCV does not decode, or decodes to something else without a word."""
    compression, colours = tags.get(_COMPRESSION, _UNCOMPRESSED), tags.get(_PHOTOMETRIC, 1)
    tile = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_HEIGHT, 0)
    problem = ""
    if compression not in _COMPRESSIONS:
        problem = f"{_NAMES.get(compression, f'number {compression}')} compression"
    elif colours not in _COLOURS:
        problem = f"colours of kind {colours}"
    elif bits == 16 and colours in (_PALETTE, _CMYK):
        problem = "a palette or CMYK of 16 bits"
    elif any(tile) and (bits == 1 or (bits == 8 and compression == _UNCOMPRESSED and _odd(tile, colours))):
        problem = f"{bits} bits in tiles of {tile[0]}x{tile[1]} pixels"
    if problem:
        raise ImageError(f"TIFF with {problem} is not supported; convert it to PNG")


def _odd(tile, colours):
    """True for uncompressed tiles, (width, height), of a size that OpenCV refuses in memory and reads from files."""
    return colours != _CMYK and tile[0] * tile[1] % 1024 != 0


def _tags(file):
    """First value of each tag of the first page that can be told without following a pointer, or one step off."""
    order = "<" if take(file, 2) == b"II" else ">"
    magic, offset = struct.unpack(order + "HI", take(file, 6))
    if magic != 42:
        raise ImageError("BigTIFF is not supported; convert it to PNG")
    tags, following = _directory(file, order, offset)
    if following and not _directory(file, order, following)[0].get(_SUBFILE, 0) & 1:
        raise ImageError("the TIFF has several pages; save the one page that is meant")
    return tags


def _directory(file, order, offset):
    file.seek(offset)
    count = struct.unpack(order + "H", take(file, 2))[0]
    if not 0 < count <= _MAX_ENTRIES:
        raise ImageError("the TIFF header is damaged")
    entries = take(file, 12 * count)
    following = struct.unpack(order + "I", take(file, 4))[0]
    found = [_entry(file, order, entries[start : start + 12]) for start in range(0, len(entries), 12)]
    return dict(entry for entry in found if entry is not None), following


def _entry(file, order, raw):
    """(tag, first value) of a directory entry of integers, else None."""
    tag, kind, count = struct.unpack(order + "HHI", raw[:8])
    letter = _SIZES.get(kind)
    if letter is None or count < 1:
        return None
    size = struct.calcsize(letter)
    if size * count <= 4:
        return tag, struct.unpack(order + letter, raw[8 : 8 + size])[0]
    file.seek(struct.unpack(order + "I", raw[8:12])[0])
    return tag, struct.unpack(order + letter, take(file, size))[0]


def tiff_pixels(file, info):
    """Read the picture.

    Args:
        file: binary file at its start.
        info: its ImageInfo.

    Returns:
        uint8 or uint16 array (h, w) or (h, w, 3), RGB, black is 0; transparency is dropped, the orientation tag is not
        applied. Signed samples are raised by 32768.

    Raises:
        ImageError: the data are damaged.
    """
    tags = _tags(file)
    file.seek(0)
    content = untagged(file.read())
    compressed = info.bits <= 8 and tags.get(_COMPRESSION, _UNCOMPRESSED) != _UNCOMPRESSED  # the rest OpenCV checks
    pixels = decode_quietly(content, cv2.IMREAD_UNCHANGED)
    if (
        pixels is None
        or pixels.shape[:2] != (info.height, info.width)
        or pixels.dtype.itemsize != max(info.bits // 8, 1)
        or (compressed and is_damaged(content))
    ):
        raise ImageError("the TIFF data are truncated or damaged")
    if info.bits == 16 and tags.get(_FORMAT) == _SIGNED:
        pixels = pixels.view(np.uint16) ^ np.uint16(1 << 15)
    if pixels.ndim == 2:
        inverted = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO and info.bits == 16  # OpenCV inverts the other depths
        return np.iinfo(pixels.dtype).max - pixels if inverted else pixels
    if pixels.shape[2] == 4 and tags.get(_EXTRA) == _UNASSOCIATED and info.bits == 8:
        pixels = _unmultiplied(pixels)
    return np.ascontiguousarray(pixels[..., 2::-1])


def decode_quietly(content, flags):
    """cv2.imdecode of `content` (bytes) without OpenCV's own lines on the terminal.

    Returns:
        The pixels; None where the decoder finds the bytes damaged.

    Raises:
        MemoryError: there is no room for the pixels.
    """
    with _log_level:
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            return cv2.imdecode(np.frombuffer(content, np.uint8), flags)
        except cv2.error as error:
            if error.code == cv2.Error.STS_NO_MEM or "bad_alloc" in str(error):
                raise MemoryError(str(error)) from error
            return None
        finally:
            cv2.utils.logging.setLogLevel(level)


def _unmultiplied(pixels):
    """Undo libtiff's multiplication of colour by alpha, uint8 (h, w, 4); what alpha 0 hid stays black."""
    alpha = np.maximum(pixels[..., 3:].astype(np.float32), 1.0)
    colour = np.rint(pixels[..., :3] * (255.0 / alpha))
    return np.minimum(colour, 255).astype(np.uint8)
