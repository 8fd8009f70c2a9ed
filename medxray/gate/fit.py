"""Training images -> what is usual; validation images -> how far from it is still accepted."""

import numpy as np
import tensorflow as tf

from medxray.gate.gaussian import fit_gaussian
from medxray.gate.graph import Distance, measure
from medxray.gate.parts import PARTS, Gate

ACCEPT = 0.99  # share of validation views that a gate accepts at least
WIDER, SMALL = 0.25, 50  # by how much the scales are widened at so many validation views and below
_BATCH = 1024
# Differences below these are none: a tenth of the image's contrast, five per cent of brightness or contrast, and a
# tenth of the detail in a region.
_BLURS = {"layout": 0.1, "tone": 0.05, "texture": 0.1}


def fit_gate(train, validation):
    """Fit the gate of a model.

    Every part alone refuses the same number of validation views, as many as possible while all parts together refuse
    at most 1 % of them; the scale of a part is the largest of its values that is not refused, so ties are accepted.
    Extreme values of few views say little about others: n views widen the scales by 25 % * min(1, 50 / n).

    Args:
        train: views.Views of training images, at least two.
        validation: Views of images that the model has not learned from, at least one.

    Returns:
        parts.Gate.
    """
    gaussians = [fit_gaussian(rows, blur=_BLURS.get(name, 0.0)) for name, rows in train._asdict().items()]
    values = _measured(gaussians, validation)
    scales = choose_scales(values)
    accepted = float((values <= scales).all(axis=1).mean())
    return Gate(*gaussians, scales=scales, accepted=accepted, validation=len(values))


def choose_scales(values):
    """The scales of the parts, float32 (5,), from those of the validation views, float32 (n, 5); see `fit_gate`.

    The scale of the orientation is at least 1: from there on a turned or inverted version fits better.
    """
    values = np.asarray(values, np.float32)
    ordered = np.sort(values, axis=0)[::-1]
    allowed = int((1 - ACCEPT) * len(values) + 1e-9)
    each = 0
    while each < allowed and (values > ordered[each + 1]).any(axis=1).sum() <= allowed:
        each += 1
    scales = ordered[each] * np.float32(1 + WIDER * min(1, SMALL / len(values)))
    scales[PARTS.index("orientation")] = max(scales[PARTS.index("orientation")], 1.0)
    return np.maximum(scales, np.float32(1e-6))


def _measured(gaussians, views):
    """Values of the parts of views, float32 (n, 5)."""
    distances = [Distance(gaussian) for gaussian in gaussians]
    step = tf.function(lambda *descriptions: measure(distances, *descriptions)[0], reduce_retracing=True)
    found = []
    for start in range(0, len(views.layout), _BATCH):
        batch = [tf.constant(rows[start : start + _BATCH], tf.float32) for rows in views]
        found.append(step(*batch).numpy())
    return np.concatenate(found)
