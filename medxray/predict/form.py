"""Files and manifests as a model takes them."""

import logging
from typing import NamedTuple

import numpy as np

from medxray.data.pipeline import Source, read_source
from medxray.predict.inputs import expand_inputs

log = logging.getLogger(__name__)


class Inputs(NamedTuple):
    """Images read for a model.

    Attributes:
        files: list of pathlib.Path that could be read.
        pixels: uint8 array (n,h,w,c), in the order of `files`.
        failures: dict path -> reason of those that could not.
    """

    files: list
    pixels: np.ndarray
    failures: dict


class Form(NamedTuple):
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

    def read_inputs(self, paths):
        """Decode files, folders and globs, all at once, and return Inputs."""
        files = expand_inputs(paths)
        source, failures = read_source(files, limit=1 << 62, **self._asdict())
        good = [row for row in range(len(files)) if row not in failures]
        reasons = {str(files[row]): reason for row, reason in failures.items()}
        return Inputs([files[row] for row in good], source.pixels[good], reasons)

    def readable(self, manifest):
        """(pipeline.Source, Manifest) of the images of a manifest that can be read; the others are told of."""
        source, failures = read_source(manifest.files(), **self._asdict())
        for row, reason in failures.items():
            log.warning("Left out: %s: %s", manifest.table["path"][row], reason)
        keep = np.array([row not in failures for row in range(len(manifest))], bool)
        pixels = None if source.pixels is None else source.pixels[keep]
        manifest = manifest.where(keep)
        return self.source(manifest.files(), pixels), manifest
