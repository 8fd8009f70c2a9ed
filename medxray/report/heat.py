"""Heat of images of a run in one npz file, small enough for a page. No TensorFlow."""

import base64
import zipfile
import zlib
from dataclasses import dataclass

import cv2
import numpy as np

from medxray.errors import DataError
from medxray.system import storage

SIDE = 96  # pixels of a stored heatmap, whatever the form of its image
_KIND = "medxray-gallery"
_STRONGEST = 0.72  # opacity where the heat is 1
_THIRDS = (("upper left", "upper middle", "upper right"), ("left", "middle", "right"))
_PLACES = (*_THIRDS, ("lower left", "lower middle", "lower right"))


@dataclass(frozen=True, eq=False)
class Heats:
    """Heatmaps of some images.

    Attributes:
        method: title of the method.
        paths: str array (n,), as in the run's predictions.
        targets: str array (n,), the class that each explains.
        heats: uint8 array (n, SIDE, SIDE), 255 for heat 1, stretched over the image without padding.
    """

    method: str
    paths: np.ndarray
    targets: np.ndarray
    heats: np.ndarray

    def of(self, path):
        """(heat, target) of an image, or None."""
        found = np.flatnonzero(self.paths == path)
        return (self.heats[found[0]], str(self.targets[found[0]])) if len(found) else None


def small_heat(heat):
    """A heatmap, float array (h,w), 0-1, as uint8 (SIDE, SIDE)."""
    resized = cv2.resize(np.asarray(heat, np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.rint(255 * np.clip(resized, 0, 1)).astype(np.uint8)


def write_heats(path, heats):
    """Write Heats atomically, as text and uint8, none of them a pickled object."""
    texts = {name: np.asarray(getattr(heats, name), dtype=str) for name in ("method", "paths", "targets")}
    storage.write_npz(path, kind=np.array(_KIND), heats=heats.heats, **texts)


def read_heats(path):
    """Read what `write_heats` wrote.

    Raises:
        DataError: the file is damaged or of another program.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        heats = Heats(str(arrays["method"]), arrays["paths"], arrays["targets"], arrays["heats"])
        sound = str(arrays["kind"]) == _KIND and heats.heats.dtype == np.uint8
        sound = sound and heats.heats.shape == (len(heats.paths), SIDE, SIDE) and len(heats.targets) == len(heats.paths)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        sound = False
    if not sound:
        raise DataError(f"{path} is damaged. Remove it, and make it again with `medxray report RUN --gallery`.")
    return heats


def heat_picture(heat):
    """Heat, uint8 (h,w), as the base64 text of a PNG whose opacity is proportional to the heat."""
    colours = cv2.applyColorMap(np.rint(25.5 + 0.9 * heat).astype(np.uint8), cv2.COLORMAP_PLASMA)
    opacity = np.rint(_STRONGEST * heat).astype(np.uint8)
    _, encoded = cv2.imencode(".png", np.dstack([colours, opacity]), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return base64.b64encode(encoded.tobytes()).decode("ascii")


def strongest_place(heat):
    """Where heat, uint8 (h,w), is strongest, in words; None where there is none."""
    if not heat.any():
        return None
    row, column = np.unravel_index(np.argmax(heat), heat.shape)
    return _PLACES[3 * row // heat.shape[0]][3 * column // heat.shape[1]]
