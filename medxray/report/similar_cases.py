"""The training images whose features are nearest to those of confident errors. No TensorFlow."""

from dataclasses import dataclass
from itertools import chain, islice, zip_longest

import numpy as np

from medxray.embeddings.neighborhood import DEFAULT_METRIC, nearest
from medxray.report.chosen import error_rows

ERRORS, NEIGHBORS = 8, 4


@dataclass(frozen=True)
class Neighbor:
    """A training image near an error.

    Attributes:
        name: as in the run's split.csv.
        file: its path.
        label: its true class.
        distance: cosine distance of the features, 0-2.
    """

    name: str
    file: object
    label: str
    distance: float


def similar_cases(contents):
    """Errors of each kind in turn, the most confident first, each with its nearest training images.

    Args:
        contents: Contents with embeddings.

    Returns:
        dict row of the predictions -> list of Neighbor, nearest first; at most ERRORS rows. It is empty where there are
        no errors, or the embeddings lack them or the training images.
    """
    training = contents.embeddings.in_splits("train")
    place = {str(name): row for row, name in enumerate(contents.embeddings.ids)}
    rows = [row for row in _wanted(contents) if contents.predictions.paths[row] in place]
    if not rows or not len(training):
        return {}
    vectors = contents.embeddings.vectors[[place[contents.predictions.paths[row]] for row in rows]]
    distances, near = nearest(vectors, training.vectors, k=NEIGHBORS, metric=DEFAULT_METRIC)
    files = training.files()
    return {
        row: [
            Neighbor(str(training.ids[at]), files[at], str(training.labels[at]), float(distance))
            for at, distance in zip(np.asarray(places), far, strict=True)
        ]
        for row, far, places in zip(rows, distances, near, strict=True)
    }


def _wanted(contents):
    kinds = [rows.tolist() for rows in error_rows(contents).values()]
    return list(islice((row for row in chain(*zip_longest(*kinds)) if row is not None), ERRORS))


def answer_words(contents, row):
    """What a row of the predictions is and was called: ("true A", "predicted B")."""
    predictions = contents.predictions
    label = contents.decision.labels(predictions.logits[[row]])[0]
    return f"true {predictions.classes[predictions.y_true[row]]}", f"predicted {predictions.classes[label]}"
