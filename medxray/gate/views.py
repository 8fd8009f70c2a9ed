"""Images of a model -> what its gate is fitted on: plain views and letterboxed ones, described."""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from medxray.data.images.decode import resize
from medxray.gate.fit import fit_gate
from medxray.gate.statistics import describe
from medxray.models.classifier import embedder
from medxray.models.inference import predict_batches
from medxray.system import progress

BOXED = 96  # letterboxed views of training and of validation images, at most
ASPECTS = (0.6, 1.9)  # width / height of what lies between the bars


class Views(NamedTuple):
    """Descriptions of some images.

    Attributes:
        layout, tone, texture: float32 arrays (n,256), (n,3) and (n,448), see `statistics.Description`.
        features: float array (n,c), the model's pooled features.
    """

    layout: np.ndarray
    tone: np.ndarray
    texture: np.ndarray
    features: np.ndarray


def fit_model_gate(
    model, source, *, train, validation, train_features=None, validation_features=None, seed=0, batch=32
):
    """Fit the gate of a model on images.

    The network sees black bars where an image is letterboxed, and a set of images that all have one shape shows it
    none. So up to 96 images of either set are also taken as letterboxed views, of a width between 0.6 and 1.9 times
    the height, drawn evenly on a logarithmic scale. With "stretch" there are no bars and no such views.

    Args:
        model: classifier with the layer `pooled`.
        source: data.pipeline.Source.
        train: int array, rows of the source.
        validation: int array, rows of the source.
        train_features: pooled features of the rows of train, float array (n,c); None: the model computes them.
        validation_features: those of the rows of validation, or None.
        seed: of the letterboxed views.
        batch: images that the model takes at a time.

    Returns:
        parts.Gate.
    """
    rng = np.random.default_rng([seed, BOXED])
    train_views = _views(model, source, train, train_features, rng, batch)
    return fit_gate(train_views, _views(model, source, validation, validation_features, rng, batch))


def _views(model, source, rows, features, rng, size):
    plain = source.dataset(rows).batch(size).prefetch(2)
    description = described(progress.counted(plain, len(rows), "Input gate"))
    if features is None:
        features = predict_batches(embedder(model), progress.counted(plain, len(rows), "Features"))
    if source.resize != "letterbox":
        return Views(*description, features)
    chosen = rng.permutation(rows)[:BOXED]
    boxed = letterboxed(list(source.dataset(chosen).as_numpy_iterator()), rng)
    batches = [boxed[start : start + size] for start in range(0, len(boxed), size)]
    extra = (*described(batches), predict_batches(embedder(model), batches))
    return Views(*(np.concatenate(pair) for pair in zip((*description, features), extra, strict=True)))


def described(batches):
    """`statistics.describe` of batches of images, as float32 arrays."""
    parts = [[part.numpy() for part in _graph(tuple(batch.shape[1:]))(tf.cast(batch, tf.float32))] for batch in batches]
    return [np.concatenate(rows) for rows in zip(*parts, strict=True)]


@functools.lru_cache(4)
def _graph(shape):
    """`statistics.describe` for any number of images of a shape; making it takes longer than most calls of it."""
    return tf.function(describe, input_signature=[tf.TensorSpec((None, *shape), tf.float32)])


def letterboxed(images, rng):
    """Each image as if it had another shape, letterboxed by the resize of prediction.

    Args:
        images: list of uint8 arrays (H,W,C).
        rng: numpy Generator that draws the shapes.

    Returns:
        uint8 array (n,H,W,C).
    """
    aspects = np.exp(rng.uniform(*np.log(ASPECTS), size=len(images)))
    return np.stack([_letterboxed(image, aspect) for image, aspect in zip(images, aspects, strict=True)])


def _letterboxed(image, aspect):
    height, width = image.shape[:2]
    shape = (height, round(width * aspect)) if aspect > 1 else (round(height / aspect), width)
    stretched = tf.image.resize(tf.cast(image, tf.float32), shape, method="bilinear", antialias=True)
    return resize(stretched, (height, width), "letterbox").numpy()
