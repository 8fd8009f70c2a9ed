"""The images of a MedMNIST file by name: `set.npz/test-12` is image 12 of its test split.

Nothing heavy is imported before such a file is opened.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from medxray.errors import ImageError

_NAME = re.compile(r"(train|val|test)-(0|[1-9]\d{0,8})")
_ENDING = ".npz"


class ArrayImage(NamedTuple):
    """Where an image stands: file, split and row."""

    file: Path
    split: str
    row: int


def is_array_file(path):
    """True for the name of an npz that is a regular file."""
    return Path(path).suffix.casefold() == _ENDING and os.path.isfile(path)


def array_image(path):
    """The ArrayImage that a path names; None where it is the path of a file of its own.

    Args:
        path: str, bytes or pathlib.Path.
    """
    text = os.fsdecode(path)
    if _ENDING not in text.casefold():
        return None
    place = Path(text)
    found = _NAME.fullmatch(place.name)
    return ArrayImage(place.parent, found[1], int(found[2])) if found and is_array_file(place.parent) else None


def array_names(path, split=None):
    """Names of the images in a file, `train-0` and so on, of one split or of all: list of str.

    Raises:
        ImageError: see `array_file.read_array_file`.
    """
    from medxray.data.images.array_file import SPLITS, array_file

    opened = array_file(path)
    return [f"{part}-{row}" for part in SPLITS if split in (None, part) for row in range(opened.count(part))]


def has_image(image):
    """Whether an ArrayImage is in its file."""
    from medxray.data.images.array_file import array_file

    try:
        return image.row < array_file(image.file).count(image.split)
    except (ImageError, OSError):
        return False


def encoded(image):
    """An ArrayImage as a file would hold it: an uncompressed BMP of 8 or 24 bits, bytes.

    The bytes depend on the pixels alone, so that they can stand for the image wherever a digest does.

    Raises:
        ImageError: there is no such image, or the file is damaged.
    """
    import cv2
    import numpy as np

    from medxray.data.images.array_file import array_file

    opened = array_file(image.file)
    if image.row >= opened.count(image.split):
        raise ImageError(f"its {image.split} split has {opened.count(image.split)} images")
    pixels = np.asarray(opened.pixels(image.split, image.row))
    blue_first = np.ascontiguousarray(pixels if pixels.ndim == 2 else pixels[..., ::-1])
    return cv2.imencode(".bmp", blue_first)[1].tobytes()
