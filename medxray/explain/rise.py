"""RISE: where the score is high when a random part of the image is seen."""

import math

import numpy as np
import tensorflow as tf

from medxray.explain.maps import Explained, scaled
from medxray.explain.passes import whole_network
from medxray.explain.versions import differ, every_version, version_scores

_AT_A_TIME = 32  # masks that are added up together


def rise_graph(model, layer, *, masks, cells, keep, seed):
    """RISE maps at input resolution, from one forward pass for the image and one for each mask.

    Args:
        model: a classifier with the layers `pooled` and `logits`.
        layer: None.
        masks: how many random masks are tried; every image gets the same.
        cells: cells of a mask along each side.
        keep: probability that a cell stays visible, above 0 and below 1.
        seed: of the masks.

    Returns:
        function as `methods` describes it.

    Source: Petsiuk et al. (2018), eq. 6 and section 3.2; deviations: `maps.target_scores` in place of the probability,
    less their mean over the masks. That lowers the expected map by a constant, which the scaling to 0-1 takes away
    anyhow, and keeps places that are visible more often by chance from standing out. A map where all masked images
    score alike is 0.
    """
    network, size = whole_network(model), model.input.shape[1:3]
    made = random_masks(size, masks=masks, cells=cells, keep=keep, seed=seed)

    def explain(images, targets_of):
        logits, pooled = network(images)

        def masked(some, _, numbers):
            return some * made(numbers)[..., None]

        scores = version_scores(network, images, targets_of(logits), masked, every_version(images, masks))
        centred = (scores - tf.reduce_mean(scores, axis=1, keepdims=True)) * differ(scores)[:, None]
        return Explained(scaled(_weighted_sum(centred, made, masks) / (keep * masks)), logits, pooled)

    return explain


def random_masks(size, *, masks, cells, keep, seed):
    """Smooth random masks.

    Args:
        size: (H, W) in pixels.
        masks: as for `rise_graph`.
        cells: as for `rise_graph`.
        keep: as for `rise_graph`.
        seed: as for `rise_graph`.

    Returns:
        function, numbers int32 (b,) of masks -> float32 (b,H,W), 0-1: a grid of cells that are 0 or 1, enlarged
        bilinearly to one cell more than the image, and cut out at a random place.
    """
    random = np.random.default_rng(seed)
    grids = (random.random((masks, cells, cells)) < keep).astype(np.float32)
    sides = [math.ceil(side / cells) for side in size]  # of an enlarged cell, pixels
    shifts = random.integers(0, sides, (masks, 2))

    def made(numbers):
        large = tf.image.resize(tf.gather(grids, numbers)[..., None], [(cells + 1) * side for side in sides])[..., 0]
        for axis, length in enumerate(size):
            pixels = tf.gather(shifts[:, axis], numbers)[:, None] + np.arange(length)
            large = tf.gather(large, pixels, axis=axis + 1, batch_dims=1)
        return large

    return made


def _weighted_sum(weights, made, masks):
    """Sum of the masks, each with its weight: weights (N,masks) -> (N,H,W)."""
    together = min(_AT_A_TIME, masks)

    def add(start, total):
        numbers = tf.range(start, tf.minimum(start + together, masks))
        return start + together, total + tf.einsum("nm,mhw->nhw", tf.gather(weights, numbers, axis=1), made(numbers))

    first = (0, tf.zeros_like(tf.einsum("nm,mhw->nhw", weights[:, :1], made(tf.range(1)))))
    return tf.while_loop(lambda start, _: start < masks, add, first, parallel_iterations=1)[1]
