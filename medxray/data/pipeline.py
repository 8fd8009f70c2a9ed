"""Manifest -> tf.data: decode, resize, cache, shuffle, batch, prefetch."""

import dataclasses

import numpy as np
import tensorflow as tf

from medxray.data.image_stream import stream_images
from medxray.data.images.files import path_text
from medxray.data.images.load import load_image
from medxray.data.pixels import pixel_keeper
from medxray.data.rows import Rows
from medxray.errors import ReadError
from medxray.system import progress

CACHE_LIMIT = 4 << 30  # bytes of decoded uint8 pixels that are kept in memory
_GROUP = 64


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """Images that can be asked for by row number, in any order.

    Attributes:
        files: paths or ImageBytes, one per row.
        size: (height, width) of the model input in pixels.
        channels: 1 or 3.
        resize: "letterbox" or "stretch".
        pixels: uint8 array (n,h,w,c) with all decoded images, or Rows of such a file, or None: decoded when asked for.
        bars: int array (n,4), the width in pixels of the black bars above, below, left and right of each image in the
            input, as `read_source` finds them; None: no image has any, or nothing is augmented.
    """

    files: tuple
    size: tuple[int, int]
    channels: int
    resize: str
    pixels: np.ndarray | Rows | None = None
    bars: np.ndarray | None = None

    def __len__(self):
        return len(self.files)

    def dataset(self, rows):
        """tf.data of uint8 images (h,w,c) for `rows`, in that order; files are decoded in parallel.

        A file that could be read before and cannot any more ends it with a tf.errors.OpError that quotes a ReadError.
        """
        signature = tf.TensorSpec((*self.size, self.channels), tf.uint8)
        if self.pixels is None:
            return _decoding(self, [self.files[row] for row in rows])
        return tf.data.Dataset.from_generator(lambda: map(self.pixels.__getitem__, rows), output_signature=signature)

    def keep(self, rows):
        """The Source of some rows, int array."""
        pixels = self.pixels.keep(rows) if isinstance(self.pixels, Rows) else _some(self.pixels, rows)
        files = tuple(self.files[row] for row in rows)
        return dataclasses.replace(self, files=files, pixels=pixels, bars=_some(self.bars, rows))

    def stream(self, batch_size, **wanted):
        """Decode all files in order, batch by batch, without keeping them; see `image_stream.stream_images`."""
        return stream_images(self.files, self, batch_size, **wanted)


def _some(column, rows):
    return None if column is None else column[rows]


def read_source(files, *, size, channels, resize, limit=CACHE_LIMIT, disk=None):
    """Decode every file once, keep the pixels where there is room, and tell which files cannot be read.

    Args:
        files: paths of images.
        size: (height, width) in pixels.
        channels: 1 or 3.
        resize: "letterbox" or "stretch".
        limit: bytes of pixels to keep in memory at most.
        disk: pixels.DiskPlace for more than that; None: files are then decoded whenever they are asked for.

    Returns:
        (Source over all files, dict row -> reason of each unreadable file). Rows of unreadable files hold zeros.

    Raises:
        ReadError: reading failed for a reason that is not in a file, see `images.load.load_image`.
        StorageError: the disk is full.
    """
    source = Source(tuple(files), tuple(size), channels, resize)
    keeper = pixel_keeper((len(files), *size, channels), memory=limit, disk=disk)
    failures, boxes, row = {}, [], 0
    with progress.track(len(files), "Decoding images") as bar:
        for batch in source.stream(_GROUP):
            keeper.add(batch.pixels)
            failures |= {row + at: reason for at, reason in enumerate(batch.reasons) if reason}
            boxes += batch.boxes
            row += len(batch.pixels)
            bar.advance(len(batch.pixels))
    return dataclasses.replace(source, pixels=keeper.rows(), bars=_bars(boxes, source.size)), failures


def _bars(boxes, size):
    top, left, height, width = np.asarray(boxes, np.int32).reshape(-1, 4).T
    return np.stack([top, size[0] - top - height, left, size[1] - left - width], axis=1)


def decode_files(files, *, size, channels, resize):
    """Decode files into one array.

    Returns:
        (uint8 array (n,h,w,channels), dict row -> reason of each unreadable file, whose pixels are zeros).
    """
    source, failures = read_source(files, size=size, channels=channels, resize=resize, limit=1 << 62)
    return source.pixels, failures


def _decoding(source, files):
    """tf.data of uint8 images; one that cannot be read any more ends it, so that training never goes on with black."""

    def loaded(row):
        image = load_image(files[row], source)
        if image.reason:
            raise ReadError(f"{path_text(files[row])}: it cannot be read any more: {image.reason}.")
        return image.pixels

    def load(row):
        return tf.ensure_shape(
            tf.numpy_function(loaded, [row], tf.uint8, stateful=False), (*source.size, source.channels)
        )

    rows = tf.data.Dataset.range(len(files))
    return rows.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
