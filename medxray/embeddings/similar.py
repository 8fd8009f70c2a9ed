"""The training images most similar to new ones: as a list, a table and pictures."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medxray.data.images.thumbnails import read_thumbnail
from medxray.embeddings.extract import training_embeddings
from medxray.embeddings.neighborhood import DEFAULT_METRIC, nearest
from medxray.embeddings.similar_figure import NeighborsDisplay, Picture
from medxray.errors import ImageError
from medxray.metrics.intervals import equals_probability
from medxray.plots import style
from medxray.predict.inputs import path_text
from medxray.system import storage

_SHOWN_PIXELS = 256


@dataclass(frozen=True)
class Neighbor:
    """A training image near another image.

    Attributes:
        path: its file.
        label: its true class.
        distance: cosine distance of the pooled features, 0-2; 0 for the same direction.
        same_file: both files have the same bytes, that is, the model was trained on this very image.
    """

    path: str
    label: str
    distance: float
    same_file: bool


def similar_images(run, features, *, count=5):
    """Find the training images whose pooled features are nearest to those of some images.

    Args:
        run: api.Run.
        features: predict.features.ImageFeatures, as `Run.embed_inputs` and `Run.predict_with_features` give them.
        count: neighbours per image, >= 1; fewer when there are fewer training images.

    Returns:
        dict path (as `Run.predict` writes it) -> tuple of Neighbor, nearest first, for each file that can be read.

    Raises:
        ConfigError: `count` is below 1.
        RunError: see `embeddings.extract.training_embeddings`.
    """
    training = training_embeddings(run)
    distances, rows = nearest(features.vectors, training.vectors, k=count, metric=DEFAULT_METRIC)
    files = training.files()
    found = {}
    for image, digest, near, at in zip(features.images, features.digests, distances, rows, strict=True):
        found[path_text(image)] = tuple(
            Neighbor(
                path=path_text(files[row]),
                label=str(training.labels[row]),
                distance=float(distance),
                same_file=bool(training.digests[row] == digest),
            )
            for distance, row in zip(near, at, strict=True)
        )
    return found


def neighbor_table(found):
    """What `similar_images` returned as a DataFrame: path, rank (from 1), neighbor, label, distance, same_file."""
    rows = [
        (path, rank, one.path, one.label, one.distance, one.same_file)
        for path, neighbors in found.items()
        for rank, one in enumerate(neighbors, 1)
    ]
    return pd.DataFrame(rows, columns=["path", "rank", "neighbor", "label", "distance", "same_file"])


def draw_neighbors(found, table, out, *, positive):
    """Draw each image beside its neighbours as `<out>/<image>-neighbors.png`.

    Args:
        found: what `similar_images` returned.
        table: what `Run.predict` returned for the same paths.
        out: folder, created when missing.
        positive: the class that the probabilities belong to; None: the predicted one.

    Returns:
        list of the files written. An image whose file is gone, or has a name that is not UTF-8, is an empty frame.
    """
    taken, written = set(), []
    for row in table[table["path"].isin(found)].itertuples():
        neighbors = found[row.path]
        pictures = [Picture(_thumbnail(one.path), one.label, one.distance, one.same_file) for one in neighbors]
        heading = f"predicted {row.label}, P({positive or row.label}) {equals_probability(row.probability)}"
        display = NeighborsDisplay(_thumbnail(row.path), pictures, name=Path(row.path).name, heading=heading)
        stem = storage.free_stem(f"{Path(row.path).stem}-neighbors", taken)
        written.append(style.save(display.plot(), Path(out) / f"{stem}.png"))
    return written


def _thumbnail(path):
    try:
        return read_thumbnail(path, _SHOWN_PIXELS)
    except ImageError:
        return None
