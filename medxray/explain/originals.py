"""The image as it is in the file, beside the model's input."""

import tensorflow as tf

from medxray.data import pipeline
from medxray.data.images import decode
from medxray.data.images import files as images
from medxray.errors import ImageError

SHOWN_PIXELS = 1024


def image_box(path, size, resize):
    """Where an image lies in the model's input.

    Args:
        path: the file. It is decoded, because a JPEG decoded at reduced scale may have an aspect ratio a little off.
        size: (height, width) of the input in pixels.
        resize: "letterbox" or "stretch".

    Returns:
        (top, left, height, width) in pixels of the input.

    Raises:
        ImageError: the file cannot be read any more.
    """
    if resize == "stretch":
        return (0, 0, *size)
    info = _header(path)
    shape = (info.height, info.width)
    if info.native:
        shape = decode.decode(tf.io.read_file(str(path)), size, 1).shape[:2]
    return tuple(int(edge) for edge in decode.letterbox_box(tf.constant(shape), size))


def read_original(path, channels):
    """The image in its own aspect ratio, at most `SHOWN_PIXELS` high and wide.

    Args:
        path: the file.
        channels: 1 for grey, 3 for RGB.

    Returns:
        uint8 array (h,w,channels).

    Raises:
        ImageError: the file cannot be read any more.
    """
    info = _header(path)
    scale = min(1.0, SHOWN_PIXELS / max(info.height, info.width))
    size = (max(1, round(info.height * scale)), max(1, round(info.width * scale)))
    pixels, failures = pipeline.decode_files([path], size=size, channels=channels, resize="stretch")
    if failures:
        raise ImageError(f"{path} cannot be read any more: {failures[0]}.")
    return pixels[0]


def _header(path):
    try:
        return images.identify(path)
    except ImageError as error:
        raise ImageError(f"{path} cannot be read any more: {error}.") from error
