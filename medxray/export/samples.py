"""A handful of images to compare an exported graph with its model on."""

import contextlib
import itertools
import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from medxray.data.images import files as images
from medxray.data.images.access import is_image_file
from medxray.errors import ImageError
from medxray.runs.truth import listed_files

log = logging.getLogger(__name__)
COUNT = 4


@dataclass(frozen=True)
class Samples:
    """Image files that the exported graph can decode, and what they are in words."""

    files: tuple[Path, ...]
    description: str


@contextlib.contextmanager
def sample_files(run):
    """Yield Samples: images of the run where its data is still there, else synthetic ones.

    Args:
        run: a run as `medxray.load_run` returns it.
    """
    files = run_files(run)
    if files:
        yield Samples(files, f"{len(files)} images of the run")
        return
    log.warning("%s; the export is checked on synthetic images.", _why_none(run))
    with tempfile.TemporaryDirectory() as folder:
        yield Samples(_synthetic_files(run, Path(folder)), f"{COUNT} synthetic images")


def _why_none(run):
    if any(is_image_file(row.path) for row in listed_files(run)):
        return f"No image of {run.name} is a JPEG, PNG or BMP file, which the exported graph decodes"
    return f"No image of {run.name} is where its split.csv says"


def run_files(run):
    """Up to `COUNT` JPEG, PNG or BMP files of the run, of the test split if it has any, the classes in turn."""
    listed = listed_files(run)
    for split in ("test", "val", "train"):
        by_class = [[row.path for row in listed if row.split == split and row.label == name] for name in run.classes]
        in_turn = (path for paths in itertools.zip_longest(*by_class) for path in paths if path is not None)
        files = tuple(itertools.islice(filter(_is_native, in_turn), COUNT))
        if files:
            return files
    return ()


def _is_native(path):
    try:
        return images.identify(path).native
    except ImageError:
        return False


def _synthetic_files(run, folder):
    """Smooth random pictures, wider and taller than the input in turn, as JPEG and PNG."""
    rng = np.random.default_rng(0)
    height, width = run.input_size
    files = []
    for number in range(COUNT):
        coarse = tf.constant(rng.uniform(0, 255, (8, 8, 1)), tf.float32)
        shape = (height, 2 * width) if number % 2 else (2 * height, width)
        pixels = tf.cast(tf.image.resize(coarse, shape, method="bicubic", antialias=False), tf.uint8)
        encode, suffix = (tf.io.encode_png, "png") if number < COUNT // 2 else (tf.io.encode_jpeg, "jpeg")
        files.append(folder / f"synthetic-{number}.{suffix}")
        files[-1].write_bytes(encode(pixels).numpy())
    return tuple(files)
