"""What the first bytes of a PNG, JPEG or BMP say; pixels are not touched. No TensorFlow."""

import struct
from dataclasses import dataclass

from medxray.data.images.orientation import UPRIGHT, exif_orientation
from medxray.errors import ImageError

MAX_PIXELS = 100_000_000  # a radiograph has at most 30 megapixels; more is a decompression bomb
_SOF = {0xC0 + n for n in range(16)} - {0xC4, 0xC8, 0xCC} | {0xF7}  # start-of-frame markers; F7 is JPEG-LS
_SOF_NATIVE = {0xC0, 0xC1, 0xC2}  # baseline, extended and progressive, Huffman-coded
_APP1, _EXIF = 0xE1, b"Exif\0\0"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_BMP_MASKS = (0x00FF0000, 0x0000FF00, 0x000000FF)


@dataclass(frozen=True)
class ImageInfo:
    """What a file's header says.

    Attributes:
        format: "JPEG", "PNG", "BMP", "TIFF", "DICOM", "WebP", "GIF", "JPEG 2000" or "AVIF".
        width: pixels.
        height: pixels.
        bits: bits per sample.
        channels: samples per pixel, alpha included; a palette counts as 3.
        native: True when `medxray.data.images.decode` decodes it inside TensorFlow, False for `images.read_pixels`.
        orientation: the orientation tag, 1-8, which is not applied; 1 without a tag.
    """

    format: str
    width: int
    height: int
    bits: int
    channels: int
    native: bool
    orientation: int = UPRIGHT


def checked(info):
    """Return `info` when its size is possible; raises ImageError for no pixels or too many."""
    if info.width < 1 or info.height < 1:
        raise ImageError(f"the {info.format} header says {info.width}x{info.height} pixels")
    if info.width * info.height > MAX_PIXELS:
        raise ImageError(
            f"the {info.format} header says {info.width}x{info.height} pixels, "
            f"more than the limit of {MAX_PIXELS // 1_000_000} megapixels"
        )
    return info


def take(file, count):
    """Read exactly `count` bytes; raises ImageError when the file ends before."""
    data = file.read(count)
    if len(data) < count:
        raise ImageError("the file ends inside its header")
    return data


def jpeg_frame(file):
    """Walk the segments of a JPEG or JPEG-LS stream to its frame header.

    Args:
        file: binary file positioned at the SOI marker.

    Returns:
        (start-of-frame marker, bits per sample, height, width, components, orientation tag), all int.
    """
    take(file, 2)
    orientation = UPRIGHT
    while True:
        marker = _next_marker(file)
        if marker in _SOF:
            _, bits, height, width, components = struct.unpack(">HBHHB", take(file, 8))
            return marker, bits, height, width, components, orientation
        if marker in (0xD9, 0xDA):
            raise ImageError("the JPEG has no frame header")
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        length = struct.unpack(">H", take(file, 2))[0]
        if length < 2:
            raise ImageError("the JPEG has a damaged segment")
        if marker == _APP1 and orientation == UPRIGHT:
            orientation = _exif_of_segment(file.read(length - 2))
        else:
            file.seek(length - 2, 1)


def _exif_of_segment(data):
    return exif_orientation(data[len(_EXIF) :]) if data.startswith(_EXIF) else UPRIGHT


def _next_marker(file):
    if take(file, 1) != b"\xff":
        raise ImageError("the JPEG has a damaged segment")
    marker = take(file, 1)[0]
    while marker == 0xFF:
        marker = take(file, 1)[0]
    return marker


def jpeg_info(file):
    """ImageInfo of a JPEG; raises ImageError for 12-bit, lossless and arithmetic-coded ones."""
    marker, bits, height, width, components, orientation = jpeg_frame(file)
    if marker not in _SOF_NATIVE or bits != 8:
        raise ImageError(f"JPEG of process {marker - 0xC0} with {bits} bits is not supported; convert it to PNG")
    if components not in (1, 3, 4):
        raise ImageError(f"JPEG with {components} components is not supported; convert it to PNG")
    return checked(ImageInfo("JPEG", width, height, bits, components, True, orientation))


def png_info(file):
    """ImageInfo of a PNG of any colour type and depth."""
    head = take(file, 29)
    length, name, width, height, bits, colour = struct.unpack(">I4sIIBB", head[8:26])
    if name != b"IHDR" or length != 13 or colour not in _PNG_CHANNELS or bits not in (1, 2, 4, 8, 16):
        raise ImageError("the PNG header is damaged")
    file.seek(33)
    return checked(ImageInfo("PNG", width, height, bits, _PNG_CHANNELS[colour], True, _png_orientation(file)))


def _png_orientation(file):
    """The orientation tag of an eXIf chunk before the pixels."""
    while len(start := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", start)
        if name == b"eXIf":
            return exif_orientation(file.read(length))
        if name in (b"IDAT", b"IEND"):
            break
        file.seek(length + 4, 1)
    return UPRIGHT


def bmp_info(file):
    """ImageInfo of a BMP; those with a palette, 16-bit pixels, run lengths, an OS/2 header or a tail are not native."""
    head = take(file, 18)
    offset, size = struct.unpack("<II", head[10:18])
    if size == 12:
        width, height, planes, depth = struct.unpack("<HHHH", take(file, 8))
        native, palette = False, depth <= 8
    elif size >= 40:
        rest = take(file, 36)
        width, height, planes, depth, compression = struct.unpack("<iiHHI", rest[:16])
        used = struct.unpack("<I", rest[28:32])[0]
        palette = depth <= 8 and not _grey_palette(file, size, used or 1 << min(depth, 8))
        native = _native_bmp(file, depth, compression) and not palette
        native = native and _ends_with_its_rows(file, offset, abs(height) * ((width * depth + 31) // 32 * 4))
    else:
        raise ImageError("the BMP header is damaged")
    if planes != 1 or depth not in (1, 4, 8, 16, 24, 32) or offset < 14 + size:
        raise ImageError("the BMP header is damaged")
    channels = 3 if palette or depth > 8 else 1
    return checked(ImageInfo("BMP", width, abs(height), 8, 4 if depth == 32 else channels, native))


def _native_bmp(file, depth, compression):
    """TensorFlow reads the bytes as they lie: uncompressed 8, 24 and 32 bits, or 32 bits with BGR masks."""
    if compression == 3 and depth == 32:
        file.seek(54)
        return struct.unpack("<III", take(file, 12)) == _BMP_MASKS
    return compression == 0 and depth in (8, 24, 32)


def _ends_with_its_rows(file, offset, size):
    """False for a BMP with further bytes behind its rows, which TensorFlow refuses."""
    return file.seek(0, 2) <= offset + size


def _grey_palette(file, size, used):
    """True when palette entry i is grey level i, so that the indices are the image."""
    if used > 256:
        raise ImageError("the BMP header is damaged")
    file.seek(14 + size)
    entries = take(file, 4 * used)
    return all(entries[4 * i : 4 * i + 3] == bytes((i, i, i)) for i in range(used))
