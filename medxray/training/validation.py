"""What a model is worth on validation images: the loss, and exact figures beside it."""

from itertools import islice

import keras
import numpy as np
import tensorflow as tf

ESTIMATE_BATCHES = 50  # for statistics of batch normalisation; with frozen layers on-line a batch takes a second


class Validator:
    """Measures the model of a stage on its validation images.

    Args:
        model: keras.Model for fit; its regularisation is part of the loss, as in training.
        dataset: tf.data.Dataset of (x, labels, weights).
        objective: objectives.Objective.
    """

    def __init__(self, model, dataset, objective):
        self._model, self._dataset, self._objective = model, dataset, objective
        self._forward = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)

    def measure(self):
        """Measure the model as it is now.

        Returns:
            dict: `val_loss`, the mean of the weighted losses of the images plus the regularisation, and the figures of
            the objective as `val_<name>`; float.
        """
        outputs, labels, weights = [], [], []
        for inputs, truth, weight in self._dataset:
            outputs.append(tf.cast(self._forward(inputs), tf.float32).numpy())
            labels.append(truth.numpy())
            weights.append(weight.numpy())
        outputs, labels, weights = map(np.concatenate, (outputs, labels, weights))
        losses = self._objective.loss_of_each(labels, outputs).astype(np.float64)
        loss = float((losses * weights).mean()) + float(sum(map(float, self._model.losses)))
        figures = self._objective.figures(labels, outputs)
        return {"val_loss": loss} | {f"val_{name}": value for name, value in figures.items()}


def trained_normalizations(model):
    """The BatchNormalization layers of a flat model whose statistics training moves, list."""
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable]


def estimate_statistics(model, normalizations, batches):
    """Set the statistics of batch normalisation to the mean over ESTIMATE_BATCHES batches at most, as the weights are.

    After few steps the moving averages still hold part of their first values, and the model is judged by them.

    Args:
        model: keras.Model for fit, called in training mode.
        normalizations: its BatchNormalization layers that are estimated.
        batches: of (x, labels, weights), tf.data.Dataset or list.

    Source: Wu and Johnson (2021), Rethinking "batch" in BatchNorm, arXiv:2105.07576, section 3 (precise statistics;
    1,000 to 10,000 images suffice); deviations: the variance is the mean of those of the batches.
    """
    momenta = [layer.momentum for layer in normalizations]
    try:
        for number, (inputs, _, _) in enumerate(islice(batches, ESTIMATE_BATCHES)):
            for layer in normalizations:
                layer.momentum = number / (number + 1)  # the moving average becomes the mean of all batches so far
            model(inputs, training=True)
    finally:
        for layer, momentum in zip(normalizations, momenta, strict=True):
            layer.momentum = momentum
