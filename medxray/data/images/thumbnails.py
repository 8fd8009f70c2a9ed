"""Small pictures of image files for galleries and pages, without TensorFlow. For eyes only, never for a model."""

import base64

import cv2
import numpy as np

from medxray.data.images import files as images
from medxray.data.images.grey_levels import by_percentiles
from medxray.data.images.tiff import decode_quietly
from medxray.errors import ImageError

PIXELS, QUALITY = 96, 75
_DEEP = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
_REDUCED = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))


def read_thumbnail(image, pixels=PIXELS):
    """Decode an image to a small picture.

    Args:
        image: path or ImageBytes.
        pixels: longest side of the result; the aspect ratio is kept, nothing is enlarged.

    Returns:
        uint8 array (h, w) when the picture is grey, else (h, w, 3), RGB.

    Raises:
        ImageError: the file cannot be read; the message is the reason only.
        ReadError: reading failed for a reason that is not in the file.
    """
    with images.opened(image) as (file, info):
        full = _native(file, info, pixels) if info.native else _foreign(file, info)
        scale = min(1.0, pixels / max(full.shape[:2]))
        size = tuple(max(1, round(side * scale)) for side in full.shape[1::-1])
        small = cv2.resize(full, size, interpolation=cv2.INTER_AREA)
    grey = (small[..., :1] == small).all()
    return np.ascontiguousarray(small[..., 0]) if grey else small


def _foreign(file, info):
    return np.rint(images.decode_pixels(file, info, 3)).astype(np.uint8)


def _native(file, info, pixels):
    """uint8 (h, w, 3), RGB; a large JPEG is decoded at reduced scale, 16 bits are scaled by percentiles."""
    content = file.read()
    if info.bits == 16:
        return _deep(decode_quietly(content, _DEEP))
    spare = min(info.width, info.height) // (2 * pixels)
    flags = next((flag for ratio, flag in _REDUCED if spare >= ratio and info.format == "JPEG"), cv2.IMREAD_COLOR)
    decoded = decode_quietly(content, flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if decoded is None:
        raise ImageError("the image data is truncated or damaged")
    return decoded[..., ::-1]


def _deep(decoded):
    if decoded is None:
        raise ImageError("the image data is truncated or damaged")
    return np.rint(by_percentiles(decoded)).astype(np.uint8)[..., ::-1]


def jpeg_data(thumbnail):
    """A picture, uint8 (h, w) or (h, w, 3) RGB, as the base64 text of a JPEG."""
    stored = thumbnail if thumbnail.ndim == 2 else thumbnail[..., ::-1]
    _, encoded = cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return base64.b64encode(encoded.tobytes()).decode("ascii")
