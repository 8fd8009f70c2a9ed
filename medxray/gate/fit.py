"""Training images -> what is usual; validation images -> how far from it is still accepted."""

import logging

import numpy as np
import tensorflow as tf

from medxray.gate.gaussian import fit_gaussian
from medxray.gate.graph import Distance, measure
from medxray.gate.parts import PARTS, Gate
from medxray.gate.statistics import describe

log = logging.getLogger(__name__)
ACCEPT = 0.99  # share of validation views that a gate accepts at least
WIDER, SMALL = 0.25, 50  # by how much the scales are widened at so many validation views and below
_BATCH = 32
_TEXTURE_BLUR = 0.05  # differences of five per cent in contrast, detail or brightness are no difference
_LAYOUT_BLUR = 0.1  # a tenth of the image's contrast


def fit_gate(train, validation):
    """Fit the gate of a model.

    Every part alone refuses the same number of validation views, as many as possible while all parts together refuse
    at most 1 % of them; the scale of a part is the largest of its values that is not refused, so ties are accepted.
    Extreme values of few views say little about others: n views widen the scales by 25 % * min(1, 50 / n).

    Args:
        train: (images, pooled) of training views: uint8 or float array (n,H,W,C), 0-255, and float array (n,c), the
            model's pooled features of the same images. n >= 2.
        validation: the same for images that the model has not learned from. n >= 1.

    Returns:
        parts.Gate.
    """
    layout, texture = _described(train[0])
    gaussians = (
        fit_gaussian(layout, blur=_LAYOUT_BLUR),
        fit_gaussian(texture, blur=_TEXTURE_BLUR),
        fit_gaussian(train[1]),
    )
    values = _measured(gaussians, *validation)
    scales = choose_scales(values)
    accepted = (values <= scales).all(axis=1).mean()
    return Gate(*gaussians, scales=scales, accepted=float(accepted), validation=len(values))


def choose_scales(values):
    """The scales of the parts, float32 (4,), from those of the validation views, float32 (n, 4); see `fit_gate`.

    The scale of the orientation is at least 1: from there on a turned or inverted version fits better.
    """
    values = np.asarray(values, np.float32)
    ordered = np.sort(values, axis=0)[::-1]
    allowed, each = int((1 - ACCEPT) * len(values) + 1e-9), 0
    while each < allowed and (values > ordered[each + 1]).any(axis=1).sum() <= allowed:
        each += 1
    scales = ordered[each] * np.float32(1 + WIDER * min(1, SMALL / len(values)))
    scales[PARTS.index("orientation")] = max(scales[PARTS.index("orientation")], 1.0)
    return np.maximum(scales, np.float32(1e-6))


def _described(images):
    step = tf.function(describe, input_signature=[_spec(images)])
    parts = [step(batch) for batch, in _batches(images)]
    return [np.concatenate([part[index] for part in parts]) for index in range(2)]


def _measured(gaussians, images, pooled):
    distances = tuple(map(Distance, gaussians))
    step = tf.function(
        lambda batch, rows: measure(distances, batch, rows)[0],
        input_signature=[_spec(images), tf.TensorSpec((None, pooled.shape[1]), tf.float32)],
    )
    return np.concatenate([step(*batch).numpy() for batch in _batches(images, pooled)])


def _spec(images):
    return tf.TensorSpec((None, *images.shape[1:]), tf.float32)


def _batches(*arrays):
    for start in range(0, len(arrays[0]), _BATCH):
        yield [tf.constant(np.asarray(array[start : start + _BATCH], np.float32)) for array in arrays]
