"""Training images that are most similar to confident errors."""

from itertools import chain, islice, zip_longest

import numpy as np

from medxray.data.images.access import path_text
from medxray.embeddings.neighborhood import DEFAULT_METRIC, nearest
from medxray.report.chosen import error_rows
from medxray.report.elements import element, joined
from medxray.report.pictures import picture
from medxray.report.section import Missing, Section

_IMAGES, _NEIGHBORS = 8, 4
_WHAT = "Similar training cases"


def similar(contents):
    """Errors of each kind in turn, each with its nearest training images by cosine distance."""
    if contents.embeddings is None:
        return Missing(_WHAT, "makes what they are found by", f"medxray embed extract {contents.path}")
    training = contents.embeddings.in_splits("train")
    place = {str(name): row for row, name in enumerate(contents.embeddings.ids)}
    rows = [row for row in _wanted(contents) if contents.predictions.paths[row] in place]
    if not rows or not len(training):
        return Missing(_WHAT, "There are no errors, or embeddings.npz lacks their images or the training images.")
    vectors = contents.embeddings.vectors[[place[contents.predictions.paths[row]] for row in rows]]
    distances, near = nearest(vectors, training.vectors, k=_NEIGHBORS, metric=DEFAULT_METRIC)
    items = [_item(contents, training, *one) for one in zip(rows, distances, near, strict=True)]
    text = (
        "Confident errors, each beside the training images with the nearest features (cosine distance, 0 is the same "
        "direction). Likeness in features explains no label."
    )
    return Section("similar", _WHAT, joined(element("p", text), element("ol", *items, class_="similar")))


def _wanted(contents):
    """Rows of errors, the most confident of each kind first."""
    kinds = [rows.tolist() for rows in error_rows(contents).values()]
    return list(islice((row for row in chain(*zip_longest(*kinds)) if row is not None), _IMAGES))


def _item(contents, training, row, distances, near):
    predictions = contents.predictions
    true = predictions.classes[predictions.y_true[row]]
    label = predictions.classes[contents.decision.labels(predictions.logits[[row]])[0]]
    (file,) = contents.files_of([predictions.paths[row]])
    this = _figure(contents, file, f"true {true}, predicted {label}", path_text(predictions.paths[row]))
    files = training.files()
    others = [
        _figure(contents, files[at], f"{training.labels[at]}, distance {distance:.4f}", path_text(training.ids[at]))
        for at, distance in zip(np.asarray(near), distances, strict=True)
    ]
    return element("li", this, *others)


def _figure(contents, file, words, name):
    shown = picture(contents, file, alt=f"Image: {words}")
    caption = element("figcaption", element("span", words), element("span", name, class_="file"))
    return element("figure", shown, caption)
