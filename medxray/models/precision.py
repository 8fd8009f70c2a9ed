"""The precision in which the layers of a model compute. Weights are float32 in each of them."""

import contextlib

import keras

from medxray.models.names import POOLED, PREPROCESSED

FLOAT32 = "float32"
POLICIES = {FLOAT32: "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}  # names of Keras


@contextlib.contextmanager
def computed_in(model, precision):
    """Let a model compute in another precision for the time of the block; preprocessing and head stay float32.

    A compiled function keeps the precision that it is traced in.

    Args:
        model: keras.Model, flat, with weights in float32. Graphs that share its layers change with it.
        precision: key of POLICIES.
    """
    layers = _lowered(model) if precision != FLOAT32 else []
    before = [layer.dtype_policy for layer in layers]
    for layer in layers:
        layer.dtype_policy = keras.DTypePolicy(POLICIES[precision])
    try:
        yield
    finally:
        for layer, policy in zip(layers, before, strict=True):
            layer.dtype_policy = policy


def to_float32(model):
    """Let every layer of a model compute in float32, as one that version 0.1 has saved may not."""
    for layer in model.layers:
        if layer.dtype_policy.name.startswith("mixed_"):
            layer.dtype_policy = keras.DTypePolicy("float32")
    return model


def _lowered(model):
    """The layers between preprocessing and pooled features, where nearly all of the time goes."""
    names = [layer.name for layer in model.layers]
    return model.layers[names.index(PREPROCESSED) + 1 : names.index(POOLED)]
