"""The only batch-prediction loop."""

import hashlib

import keras
import numpy as np
import tensorflow as tf

from medxray.models.folding import folded
from medxray.models.names import LOGITS, POOLED


def logits_model(classifier):
    """The part of a classifier that ends in logits: images (N,H,W,C) 0-255 -> float32 (N,K)."""
    return keras.Model(classifier.input, classifier.get_layer(LOGITS).output)


def trunk(model):
    """A classifier cut after its logits: images (N,H,W,C), 0-255 -> logits (N,K) and pooled features (N,c)."""
    return keras.Model(model.input, [model.get_layer(LOGITS).output, model.get_layer(POOLED).output])


def compiled(model, *, fold=True):
    """Inference of a Keras model as one graph for any batch size: float array (N,...) -> list of output tensors.

    Args:
        model: keras.Model with one input.
        fold: whether batch normalisation is folded; False where rounding is made much of.
    """
    model = folded(model, training=False) if fold else model

    @tf.function(input_signature=[tf.TensorSpec(model.inputs[0].shape, tf.float32)])
    def forward(batch):
        return [tf.cast(output, tf.float32) for output in tf.nest.flatten(model(batch, training=False))]

    return forward


def predict_batches(model, batches):
    """Run a model over batches.

    Args:
        model: keras.Model with one input and one output.
        batches: iterable of arrays or tensors (b, ...), any numeric type.

    Returns:
        float32 array (n, ...), the outputs in order.
    """
    forward = compiled(model)
    outputs = [forward(tf.cast(batch, tf.float32))[0].numpy() for batch in batches]
    return np.concatenate(outputs) if outputs else np.zeros((0, *model.output_shape[1:]), np.float32)


def predict_rows(model, rows, *, batch_size=32):
    """Run a model over the rows of an array (memory-mapped ones are read batch by batch)."""
    return predict_batches(model, (rows[at : at + batch_size] for at in range(0, len(rows), batch_size)))


def weights_digest(model):
    """SHA-256 over all weights of a model, in graph order."""
    digest = hashlib.sha256()
    for weight in model.weights:
        digest.update(np.ascontiguousarray(weight.numpy()).tobytes())
    return digest.hexdigest()
