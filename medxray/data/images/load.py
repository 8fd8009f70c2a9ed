"""One image, from a path or bytes to a model's input: read once, decoded by the compiled graph of the project."""

import functools
import hashlib
import re
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from medxray.data.images import decode
from medxray.data.images import files as images
from medxray.data.images.files import PICTURE_PIXELS
from medxray.data.images.orientation import UPRIGHT
from medxray.errors import ImageError

_OF_A_DECODER = re.compile(r"\{\{node [^}]*\b(ExtractJpegShape|DecodeJpeg|DecodePng|DecodeBmp)(_\d+)?\}\}")


class LoadedImage(NamedTuple):
    """An image as a model takes it.

    Attributes:
        pixels: uint8 (H,W,C); zeros where the image cannot be read.
        box: (top, left, height, width) in pixels of the input: where the image lies, without the padding.
        reason: why it cannot be read; "" where it can.
        picture: uint8 (h,w,C) in its own aspect ratio, at most `PICTURE_PIXELS` high and wide, or None.
        digest: SHA-256 of the encoded bytes, hexadecimal, or "".
        orientation: its orientation tag, 1-8, which is not applied.
    """

    pixels: np.ndarray
    box: tuple[int, int, int, int]
    reason: str
    picture: np.ndarray | None = None
    digest: str = ""
    orientation: int = UPRIGHT


def load_image(image, form, *, picture=False, digest=False):
    """Read and decode one image; the GIL is free while the graph runs.

    Args:
        image: path or ImageBytes.
        form: what has `size` (height, width), `channels` (1 or 3) and `resize` ("letterbox" or "stretch").
        picture: also decode it to be shown.
        digest: also take the digest of its bytes.

    Returns:
        LoadedImage; what is wrong with the image is its `reason`.

    Raises:
        ReadError: reading failed for a reason that is not in the image: memory, the disk, or a fault of medxray.
    """
    try:
        with images.opened(image) as (file, info):
            content = file.read() if info.native or digest else b""
            file.seek(0)
            return _loaded(file, info, content, form, picture)._replace(digest=_digest(content) if digest else "")
    except ImageError as error:
        return LoadedImage(np.zeros((*form.size, form.channels), np.uint8), (0, 0, *form.size), str(error))


def _loaded(file, info, content, form, picture):
    for_model, for_eyes = loading_graphs(tuple(form.size), form.channels, form.resize, info.native)
    data = tf.constant(content) if info.native else tf.constant(images.decode_pixels(file, info, form.channels))
    pixels, box = _judged(for_model, data)
    shown = for_eyes(data, picture_size(info.height, info.width)).numpy() if picture else None
    return LoadedImage(pixels.numpy(), tuple(box.numpy().tolist()), "", shown, orientation=info.orientation)


def _judged(graph, data):
    """Call a graph on an image; what its decoders say against the bytes becomes an ImageError, and nothing else."""
    try:
        return graph(data)
    except tf.errors.InvalidArgumentError as error:
        if _OF_A_DECODER.search(str(error)):
            raise ImageError("the image data is truncated or damaged") from error
        raise


def picture_size(height, width):
    """(height, width) in pixels at which an image of this size is shown: at most `PICTURE_PIXELS`, never enlarged."""
    scale = min(1.0, PICTURE_PIXELS / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


@functools.cache
def loading_graphs(size, channels, resize, native):
    """The compiled functions that decode images, the same for images of every size.

    They run on the CPU, whose arithmetic does not depend on an accelerator.

    Args:
        size: (height, width) of the model's input.
        channels: 1 or 3.
        resize: "letterbox" or "stretch".
        native: True: they take encoded bytes (scalar string); False: float32 pixels (h,w,channels), 0-255.

    Returns:
        (function, data -> uint8 pixels (H,W,channels) and int32 box (4,); function, (data, int32 size (2,)) -> uint8
        picture of that size).
    """
    data = tf.TensorSpec((), tf.string) if native else tf.TensorSpec((None, None, channels), tf.float32)

    def decoded(data, size):
        return decode.decode(data, size, channels) if native else data

    @tf.function(input_signature=[data])
    def for_model(data):
        with tf.device("/CPU:0"):
            pixels = decoded(data, size)
            return decode.resize(pixels, size, resize), tf.stack(decode.box_of(tf.shape(pixels)[:2], size, resize))

    @tf.function(input_signature=[data, tf.TensorSpec((2,), tf.int32)])
    def for_eyes(data, size):
        with tf.device("/CPU:0"):
            return decode.resample(decoded(data, size), size)

    return for_model, for_eyes


def _digest(content):
    return hashlib.sha256(content).hexdigest()
