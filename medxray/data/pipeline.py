"""Manifest -> tf.data: decode, resize, cache, shuffle, batch, prefetch."""

import dataclasses
import os
import struct

import cv2
import numpy as np
import tensorflow as tf

from medxray.data.images import decode
from medxray.data.images import files as images
from medxray.errors import ImageError
from medxray.system import progress

CACHE_LIMIT = 4 << 30  # bytes of decoded uint8 pixels that are kept in memory; above it files are decoded per epoch
_GROUP = 64
_UNREADABLE = (ImageError, OSError, MemoryError, ValueError, struct.error, cv2.error, tf.errors.OpError)


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """Images that can be asked for by row number, in any order.

    Attributes:
        files: paths, one per row.
        size: (height, width) of the model input in pixels.
        channels: 1 or 3.
        resize: "letterbox" or "stretch".
        pixels: uint8 array (n,h,w,c) with all decoded images, or None: decoded when asked for.
    """

    files: tuple
    size: tuple[int, int]
    channels: int
    resize: str
    pixels: np.ndarray | None = None

    def __len__(self):
        return len(self.files)

    def dataset(self, rows):
        """tf.data of uint8 images (h,w,c) for `rows`, in that order; files are decoded in parallel."""
        signature = tf.TensorSpec((*self.size, self.channels), tf.uint8)
        if self.pixels is None:
            return _decoding(self, [self.files[row] for row in rows]).map(_readable)
        return tf.data.Dataset.from_generator(lambda: map(self.pixels.__getitem__, rows), output_signature=signature)

    def stream(self, batch_size):
        """Decode all files in order, batch by batch, without keeping them.

        Yields:
            (uint8 array (b,h,w,c), list of b reasons; "" where the file could be read, else its pixels are zeros).
        """
        batches = _decoding(self, self.files).batch(batch_size).prefetch(2)
        for pixels, reasons in batches.as_numpy_iterator():
            yield pixels, [reason.decode() for reason in reasons]


def read_source(files, *, size, channels, resize, limit=CACHE_LIMIT):
    """Decode every file once, keep what fits in memory, and tell which files cannot be read.

    Args:
        files: paths of images.
        size: (height, width) in pixels.
        channels: 1 or 3.
        resize: "letterbox" or "stretch".
        limit: bytes of pixels to keep at most.

    Returns:
        (Source over all files, dict row -> reason of each unreadable file). Rows of unreadable files hold zeros.
    """
    source = Source(tuple(files), tuple(size), channels, resize)
    keep = len(files) * size[0] * size[1] * channels <= limit
    pixels = np.zeros((len(files), *size, channels), np.uint8) if keep else None
    failures, row = {}, 0
    with progress.track(len(files), "Decoding images") as bar:
        for group, reasons in source.stream(_GROUP):
            if keep:
                pixels[row : row + len(group)] = group
            failures |= {row + at: reason for at, reason in enumerate(reasons) if reason}
            row += len(group)
            bar.advance(len(group))
    return dataclasses.replace(source, pixels=pixels), failures


def decode_files(files, *, size, channels, resize):
    """Decode files into one array.

    Returns:
        (uint8 array (n,h,w,channels), dict row -> reason of each unreadable file, whose pixels are zeros).
    """
    source, failures = read_source(files, size=size, channels=channels, resize=resize, limit=1 << 62)
    return source.pixels, failures


def _readable(pixels, reason):
    """Pixels of a file that could be read before; if it cannot any more, training must not go on with black."""
    with tf.control_dependencies([tf.debugging.assert_equal(reason, "", "an image cannot be read any more")]):
        return tf.identity(pixels)


def _decoding(source, files):
    """tf.data of (uint8 image, reason); reason is empty where decoding succeeded."""

    def load(path):
        pixels, reason = tf.numpy_function(
            lambda name: _load(os.fsdecode(name), source), [path], (tf.uint8, tf.string), stateful=False
        )
        return tf.ensure_shape(pixels, (*source.size, source.channels)), tf.ensure_shape(reason, ())

    names = tf.constant([os.fsencode(file) for file in files], tf.string, (len(files),))
    paths = tf.data.Dataset.from_tensor_slices(names)
    return paths.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _load(path, source):
    """Decode and resize one file by the compiled graph; the GIL is free while it runs."""
    try:
        if images.identify(path).native:  # also refuses what is no regular file, or too large to read
            with open(path, "rb") as file:
                return _native(file.read(), source).numpy(), b""
        pixels = tf.constant(images.read_pixels(path, source.channels))
        return _resized(pixels, source).numpy(), b""
    except _UNREADABLE as error:
        return np.zeros((*source.size, source.channels), np.uint8), _reason(error).encode("utf-8", "backslashreplace")


def _reason(error):
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) if isinstance(error, ImageError) else "the image data is truncated or damaged"


_GRAPHS = {}


def _graph(kind, source):
    key = (kind, source.size, source.channels, source.resize)
    if key not in _GRAPHS:
        size, channels, mode = key[1:]
        if kind == "bytes":

            def function(content):
                return decode.resize(decode.decode(content, size, channels), size, mode)

            spec = tf.TensorSpec((), tf.string)
        else:

            def function(pixels):
                return decode.resize(pixels, size, mode)

            spec = tf.TensorSpec((None, None, channels), tf.float32)
        _GRAPHS[key] = tf.function(function, input_signature=[spec])
    return _GRAPHS[key]


def _native(content, source):
    return _graph("bytes", source)(tf.constant(content))


def _resized(pixels, source):
    return _graph("pixels", source)(pixels)
