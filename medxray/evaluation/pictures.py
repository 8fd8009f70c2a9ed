"""The images behind predictions: statistics and thumbnails."""

import numpy as np
import pandas as pd

from medxray.data.image_keys import image_keys
from medxray.data.images import files as images
from medxray.data.images.thumbnails import read_thumbnail
from medxray.data.manifest import content_digest
from medxray.errors import ImageError
from medxray.metrics.predictions import Predictions
from medxray.system import progress

_GALLERY_PIXELS = 192


class Pictures:
    """The images behind predictions, for statistics and thumbnails.

    Args:
        source: pipeline.Source.
        rows: int array, the rows of the source in the order of the predictions.
    """

    def __init__(self, source, rows):
        self._source, self._rows = source, np.asarray(rows, int)

    def thumbnail(self, index):
        """One image as the model sees it: uint8 (h,w), or (h,w,3) for a colour model."""
        pixels = next(iter(self._source.dataset(self._rows[index : index + 1]).as_numpy_iterator()))
        return pixels[..., 0] if pixels.shape[-1] == 1 else pixels

    def batches(self, size):
        """tf.data.Dataset of uint8 pixels (b,H,W,C) as the model sees them, `size` images at a time, in order."""
        return self._source.dataset(self._rows).batch(size).prefetch(2)

    def __len__(self):
        """Number of images."""
        return len(self._rows)

    def where(self, rows):
        """The Pictures of some of these images, int array of their positions."""
        return Pictures(self._source, self._rows[rows])

    def keyed_batches(self, size):
        """Images with what their shifted views need, `size` images at a time, in order.

        Yields:
            (uint8 pixels (b,H,W,C) as the model sees them; int64 keys (b,) of the files' content, see
            `data.image_keys`; int (b,4) bars as in `pipeline.Source`, or None).

        Raises:
            DataError: a file cannot be read any more.
        """
        for number, pixels in enumerate(self.batches(size).as_numpy_iterator()):
            rows = self._rows[number * size : number * size + len(pixels)]
            keys = image_keys(content_digest(self._source.files[row]) for row in rows)
            yield pixels, keys, None if self._source.bars is None else self._source.bars[rows]

    def statistics(self):
        """DataFrame with width and height of the files in pixels and mean brightness 0-255 as the model sees it."""
        sizes = [_file_size(self._source.files[row]) for row in self._rows]
        images = progress.each(self._source.dataset(self._rows).as_numpy_iterator(), len(self), "Brightness")
        brightness = [float(pixels.mean()) for pixels in images]
        width, height = zip(*sizes, strict=True) if sizes else ((), ())
        return pd.DataFrame({"width": width, "height": height, "brightness": brightness}, dtype=float)


class FilePictures:
    """The image files behind predictions that were made without their pixels; no TensorFlow.

    Args:
        files: paths, in the order of the predictions.
    """

    def __init__(self, files):
        self._files = list(files)

    def thumbnail(self, index):
        """The picture in a file: uint8 (h,w), or (h,w,3); raises ImageError when it cannot be read."""
        return read_thumbnail(self._files[index], _GALLERY_PIXELS)

    def statistics(self):
        """DataFrame with width and height of the files in pixels, nan where unknown; brightness is not measured."""
        sizes = np.array([_file_size(file) for file in self._files], float).reshape(-1, 2)
        return pd.DataFrame({"width": sizes[:, 0], "height": sizes[:, 1], "brightness": np.nan}, dtype=float)


def _file_size(path):
    try:
        info = images.identify(path)
    except (ImageError, OSError):
        return np.nan, np.nan
    return info.width, info.height


def predictions_of(part, logits, *, split):
    """Put a manifest's facts and a model's logits together."""
    subtypes = tuple(part.table["subtype"])
    return Predictions(
        paths=tuple(part.table["path"]),
        patient_ids=part.patients(),
        y_true=part.labels(),
        logits=logits,
        classes=part.classes,
        positive=part.positive,
        split=split,
        subtypes=subtypes if any(subtypes) else None,
    )
