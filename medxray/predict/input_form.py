"""The form in which a model takes images, and images brought into it."""

import logging
from typing import NamedTuple

import numpy as np

from medxray.data.image_stream import stream_images
from medxray.data.left_out import report_left_out
from medxray.data.manifest import Skipped
from medxray.data.pipeline import Source, decode_files, read_source
from medxray.predict.inputs import expand_inputs, path_text

log = logging.getLogger(__name__)


class ReadImages(NamedTuple):
    """A few images, all read.

    Attributes:
        files: list of the paths and ImageBytes that could be read.
        pixels: uint8 array (n,h,w,c), in the order of `files`.
        failures: dict path, or name of ImageBytes, -> reason of those that could not.
    """

    files: list
    pixels: np.ndarray
    failures: dict


class InputForm(NamedTuple):
    """The form in which a model takes images.

    Attributes:
        size: height and width in pixels.
        channels: 1 or 3.
        resize: "letterbox" or "stretch".
    """

    size: tuple
    channels: int
    resize: str

    def source(self, files, pixels=None):
        """A pipeline.Source of files in this form; nothing is decoded yet unless `pixels` are given."""
        return Source(tuple(files), self.size, self.channels, self.resize, pixels)

    def stream(self, images, batch_size, *, pictures=False, digests=False):
        """Read and decode a list of paths and ImageBytes in constant memory; see `image_stream.stream_images`."""
        return stream_images(images, self, batch_size, pictures=pictures, digests=digests)

    def read_inputs(self, paths):
        """Decode files, folders, globs and bytes, all at once, and return ReadImages; for a few images only."""
        files = expand_inputs(paths)
        pixels, failures = decode_files(files, **self._asdict())
        good = [row for row in range(len(files)) if row not in failures]
        reasons = {path_text(files[row]): reason for row, reason in failures.items()}
        return ReadImages([files[row] for row in good], pixels[good], reasons)

    def readable(self, manifest):
        """(pipeline.Source, Manifest) of the images of a manifest that can be read; the others are told of."""
        source, failures = read_source(manifest.files(), **self._asdict())
        skipped = [Skipped(manifest.table["path"][row], reason) for row, reason in sorted(failures.items())]
        report_left_out(skipped, files=len(manifest))
        keep = np.array([row not in failures for row in range(len(manifest))], bool)
        return source.keep(np.flatnonzero(keep)), manifest.where(keep)
