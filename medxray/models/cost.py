"""What a network costs: multiply-accumulates of its graph, and images per second on this machine."""

import math
import statistics
import time

import numpy as np
from keras import layers

from medxray.models.inference import compiled

BATCH, REPEATS = 8, 5
_COUNTED = (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)


def macs(model):
    """Multiply-accumulates for one image in the convolutions, depthwise convolutions and dense layers of a graph.

    Every number of a kernel is used once at each position of the output. Biases, normalisations, activations and
    pooling are not counted, as is usual.

    Args:
        model: keras.Model, flat, of a fixed image size.

    Returns:
        int.
    """
    counted = [layer for layer in model.layers if isinstance(layer, _COUNTED)]
    return sum(math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1]) for layer in counted)


def images_per_second(model):
    """Images per second of inference in batches of BATCH: the median of REPEATS passes after one that is not timed.

    Args:
        model: keras.Model of a fixed image size.

    Returns:
        float.
    """
    forward = compiled(model)
    batch = np.random.default_rng(0).uniform(0, 255, (BATCH, *model.input_shape[1:])).astype(np.float32)
    _seconds(forward, batch)
    return BATCH / statistics.median(_seconds(forward, batch) for _ in range(REPEATS))


def _seconds(forward, batch):
    """How long one pass takes, with its results in memory."""
    start = time.perf_counter()
    for output in forward(batch):
        output.numpy()
    return time.perf_counter() - start
