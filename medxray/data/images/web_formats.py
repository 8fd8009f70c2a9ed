"""WebP, GIF, JPEG 2000 and AVIF: header and pixels, the latter by OpenCV. No TensorFlow."""

import struct

import cv2
import numpy as np

from medxray.data.images.headers import ImageInfo, checked, take
from medxray.data.images.orientation import UPRIGHT, exif_orientation
from medxray.data.images.tiff import decode_quietly
from medxray.errors import ImageError

_CODESTREAM = b"\xff\x4f\xff\x51"  # of JPEG 2000: start, then the marker segment of the size
_MAX_META = 1 << 20  # bytes of an AVIF's meta box; it has a few hundred
_TURNED = (1, 8, 3, 6)  # orientation tags by quarters turned anticlockwise
_MIRRORED = (2, 7, 4, 5)  # the same, with left and right exchanged afterwards
_ALPHA, _EXIF = 0x10, 0x08  # flags of an extended WebP


def webp_info(file):
    """ImageInfo of a WebP of any of its three kinds."""
    head = take(file, 30)
    kind, orientation = head[12:16], UPRIGHT
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack("<HH", head[26:30]))
        alpha = False
    elif kind == b"VP8L" and head[20] == 0x2F:
        packed = struct.unpack("<I", head[21:25])[0]
        width, height, alpha = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1, bool(packed >> 28 & 1)
    elif kind == b"VP8X":
        width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
        alpha = bool(head[20] & _ALPHA)
        orientation = _webp_orientation(file) if head[20] & _EXIF else UPRIGHT
    else:
        raise ImageError("the WebP header is damaged")
    return checked(ImageInfo("WebP", width, height, 8, 4 if alpha else 3, False, orientation))


def _webp_orientation(file):
    for name, size in _chunks(file, 12, "<4sI"):
        if name == b"EXIF":
            return exif_orientation(file.read(size).removeprefix(b"Exif\0\0"))
    return UPRIGHT


def _chunks(file, place, form):
    """Yield (name, size) of each chunk of a WebP; the file then stands at its content."""
    file.seek(place)
    while len(start := file.read(8)) == 8:
        name, size = struct.unpack(form, start)
        place += 8 + size + size % 2
        yield name, size
        file.seek(place)


def gif_info(file):
    """ImageInfo of a GIF; its first frame is read."""
    width, height = struct.unpack("<HH", take(file, 10)[6:10])
    return checked(ImageInfo("GIF", width, height, 8, 3, False))


def jpeg2000_info(file):
    """ImageInfo of a JPEG 2000, a bare codestream or one in boxes."""
    start = take(file, 4)
    file.seek(0)
    if start != _CODESTREAM:
        _find_box(file, b"jp2c", "JPEG 2000")
    head = take(file, 43)
    if head[:4] != _CODESTREAM:
        raise ImageError("the JPEG 2000 header is damaged")
    width, height, left, top = struct.unpack(">IIII", head[8:24])
    channels, depth = struct.unpack(">HB", head[40:43])
    bits = (depth & 0x7F) + 1
    if depth & 0x80 or bits > 16 or channels not in (1, 2, 3, 4):
        raise ImageError(f"JPEG 2000 with {channels} channels of {bits} bits is not supported; convert it to PNG")
    return checked(ImageInfo("JPEG 2000", width - left, height - top, bits, channels, False))


def avif_info(file):
    """ImageInfo of an AVIF; its main picture is read."""
    size = _find_box(file, b"meta", "AVIF")
    if not 12 <= size <= _MAX_META:
        raise ImageError("the AVIF header is damaged")
    meta = take(file, size)
    places = [at for at in range(len(meta) - 15) if meta[at : at + 4] == b"ispe"]
    sizes = [struct.unpack(">II", meta[at + 8 : at + 16]) for at in places]
    depth = meta.find(b"pixi")
    if not sizes or not 0 <= depth < len(meta) - 9:
        raise ImageError("the AVIF header is damaged")
    width, height = max(sizes, key=lambda side: side[0] * side[1])
    turned = _avif_orientation(meta)
    return checked(ImageInfo("AVIF", width, height, meta[depth + 9], meta[depth + 8], False, turned))


def _avif_orientation(meta):
    """The orientation tag that says the same as the boxes of an AVIF that turn (irot) and mirror (imir) its picture."""
    turns, mirror = (_box_value(meta, name) for name in (b"irot", b"imir"))
    quarter = (turns or 0) & 3  # anticlockwise
    if mirror is None:
        return _TURNED[quarter]
    return _MIRRORED[(quarter + 2 * (1 - mirror & 1)) % 4]


def _box_value(meta, name):
    """The byte in a box of 9 bytes, or None."""
    place = meta.find(b"\0\0\0\x09" + name)
    return meta[place + 8] if place >= 0 and place + 8 < len(meta) else None


def _find_box(file, wanted, name):
    """Go to the content of a box and return its size in bytes."""
    place = 0
    while len(start := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", start)
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", take(file, 8))[0], 16
        if kind == wanted:
            return size - head
        if size < head or size > 1 << 40:
            break
        place += size
        file.seek(place)
    raise ImageError(f"the {name} header is damaged")


def web_pixels(file, info):
    """Read the picture.

    Args:
        file: binary file at its start.
        info: its ImageInfo.

    Returns:
        uint8 or uint16 array (h, w) or (h, w, 3), RGB; transparency is dropped, an orientation tag is not applied.

    Raises:
        ImageError: OpenCV does not decode it.
    """
    pixels = decode_quietly(file.read(), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.shape[:2] != (info.height, info.width) or pixels.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"OpenCV does not decode this {info.format}; if a viewer shows it, convert it to PNG")
    if pixels.ndim == 2 or pixels.shape[2] < 3:
        return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., 0])
    return np.ascontiguousarray(pixels[..., 2::-1])
