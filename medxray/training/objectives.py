"""What a stage minimises and watches."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np

from medxray.metrics.clustered import placements


@dataclasses.dataclass(frozen=True, eq=False)
class Objective:
    """What a stage minimises and what it reports beside the loss.

    Attributes:
        loss: Keras loss, or a function (truth, output) -> loss of each image.
        metrics: function without arguments -> list of new Keras metrics of training; their names become columns of the
            history.
        loss_of_each: function, arrays (truth (n,), outputs (n,...)) -> loss of each image, float array (n,).
        figures: function of the same arrays -> dict name -> float, the figures of validation, exact.
    """

    loss: object
    metrics: Callable
    loss_of_each: Callable
    figures: Callable


def classification():
    """Cross-entropy of logits (n,K), with accuracy and, on validation images, the AUROC beside it."""
    return Objective(
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        lambda: [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        _cross_entropy,
        _classification_figures,
    )


def _cross_entropy(truth, logits):
    return keras.losses.sparse_categorical_crossentropy(truth, logits, from_logits=True).numpy()


def _classification_figures(truth, logits):
    """Accuracy, and the AUROC of the second of two classes or the mean of all, each against the others."""
    logits = logits.astype(np.float64)
    accuracy = float((logits.argmax(axis=1) == truth).mean())
    classes = [1] if logits.shape[1] == 2 else range(logits.shape[1])
    sides = [truth == k for k in classes]
    if any(side.all() or not side.any() for side in sides):
        return {"accuracy": accuracy, "auroc": float("nan")}
    odds = [logits[:, k] - np.logaddexp.reduce(np.delete(logits, k, axis=1), axis=1) for k in classes]
    areas = [placements(side, score)[0].mean() for side, score in zip(sides, odds, strict=True)]
    return {"accuracy": accuracy, "auroc": float(np.mean(areas))}


def own_output():
    """For a model whose output (n,1) is the loss of each image; labels are not looked at."""
    return Objective(
        lambda truth, output: keras.ops.squeeze(output, -1),
        list,
        lambda truth, output: output[:, 0],
        lambda truth, output: {},
    )
