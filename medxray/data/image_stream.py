"""Paths or bytes -> batches of decoded images, in constant memory, decoded while the model computes."""

import collections
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from medxray.data.images.files import path_text
from medxray.data.images.load import load_image, loading_graphs
from medxray.data.images.orientation import UPRIGHT

log = logging.getLogger(__name__)
_MOST_THREADS = 8


class ImageBatch(NamedTuple):
    """Some images as a model takes them.

    Attributes:
        images: list of b paths or ImageBytes.
        pixels: uint8 (b,H,W,C); zeros where an image cannot be read.
        boxes: list of (top, left, height, width) in pixels of the input: where each image lies in it.
        reasons: list of why an image cannot be read; "" where it can.
        pictures: list of uint8 arrays (h,w,C), each image in its own aspect ratio, or None where none is asked for.
        digests: list of SHA-256 of the encoded bytes, hexadecimal, or "" where none is asked for.
        orientations: list of orientation tags, 1-8, which are not applied.
    """

    images: list
    pixels: np.ndarray
    boxes: list
    reasons: list
    pictures: list
    digests: list
    orientations: list

    def readable(self):
        """The batch without the images that cannot be read."""
        images, *rest = (self.of_readable(column) for column in (self.images, *self[2:]))
        return ImageBatch(images, self.pixels[[not reason for reason in self.reasons]], *rest)

    def of_readable(self, column):
        """What an iterable, with one entry for each image, holds for those that can be read: list."""
        return [entry for entry, reason in zip(column, self.reasons, strict=True) if not reason]


def images_of(batch):
    """Number of the images of an ImageBatch, those that cannot be read included."""
    return len(batch.images)


def stream_images(images, form, batch_size, *, pictures=False, digests=False):
    """Read and decode images in their order, some of them ahead of the consumer.

    Each file is opened once. At most two batches wait beside the one that is in use. Images with an orientation tag are
    told of in one warning at the end.

    Args:
        images: sequence of paths and ImageBytes.
        form: what has `size`, `channels` and `resize`, see `load_image`.
        batch_size: images in a batch; the last one may be smaller.
        pictures: whether the batches hold the images as they are shown.
        digests: whether the batches hold the digests of the encoded bytes.

    Yields:
        ImageBatch.

    Raises:
        ReadError: see `load_image`.
    """
    for native in (True, False):
        loading_graphs(tuple(form.size), form.channels, form.resize, native)  # made here, by one thread
    starts = range(0, len(images), batch_size)
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:

        def submit(start):
            """(Images of the batch that begins at position `start`, a future of `load_image` for each)."""
            part = images[start : start + batch_size]
            return part, [pool.submit(load_image, one, form, picture=pictures, digest=digests) for one in part]

        waiting, tagged = collections.deque(), []
        try:
            for start in starts:
                waiting.append(submit(start))
                if len(waiting) > 2:
                    yield _batch(*waiting.popleft(), tagged)
            while waiting:
                yield _batch(*waiting.popleft(), tagged)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    _tell_orientations(tagged)


def _batch(images, futures, tagged):
    """The ImageBatch of some images; those with an orientation tag are added to the list `tagged`."""
    columns = list(map(list, zip(*(future.result() for future in futures), strict=True)))
    pixels, boxes, reasons, pictures, digests, orientations = columns
    tagged += [image for image, orientation in zip(images, orientations, strict=True) if orientation != UPRIGHT]
    return ImageBatch(list(images), np.stack(pixels), boxes, reasons, pictures, digests, orientations)


def _tell_orientations(tagged):
    if tagged:
        log.warning(
            "%d image%s an orientation tag, which is not applied (first: %s). Where the picture is stored turned, turn "
            "it and save it without the tag.",
            len(tagged),
            " has" if len(tagged) == 1 else "s have",
            path_text(tagged[0]),
        )
