"""Occlusion: how far the score falls when a patch of the image is covered."""

import math

import tensorflow as tf

from medxray.errors import ConfigError
from medxray.explain.maps import Explained, scaled, target_scores
from medxray.explain.occlusion_grid import OcclusionGrid
from medxray.explain.passes import whole_network
from medxray.explain.versions import differ, every_version, version_scores

MEAN, ZERO, BLUR = "mean", "zero", "blur"
FILLS = (MEAN, ZERO, BLUR)
_REFINED = 0.25  # share of the patches left out by the coarse grid that is tried after it


def occlusion_graph(model, layer, *, patch, stride, fill, coarse):
    """Occlusion maps at input resolution, from one forward pass for the image and one for each patch.

    A pixel has the mean fall of the score over the patches tried that cover it. Falls below 0 count as 0.

    Args:
        model: a classifier with the layers `pooled` and `logits`.
        layer: None.
        patch: side of the square that is covered, pixels of the input.
        stride: from one patch to the next, pixels; the last ones lie at the right and the bottom edge.
        fill: one of FILLS, what covers: the mean colour of the image, black, or the image out of focus.
        coarse: 1 tries every second patch of every second row first, and then the quarter of the others where the map
            of these is highest; 0 tries all.

    Returns:
        function as `methods` describes it.

    Raises:
        ConfigError: the patch is larger than the input.

    Source: Zeiler and Fergus (2014), section 4.2; deviations: `maps.target_scores` in place of the probability, the
    fall in place of what remains, several fills, coarse to fine, the scaling to 0-1.
    """
    size = model.input.shape[1:3]
    if patch > min(size):
        raise ConfigError(f"patch of occlusion must be at most {min(size)} for {model.name}. Received {patch}.")
    network, grid = whole_network(model), OcclusionGrid(size, patch, stride)

    def explain(images, targets_of):
        logits, pooled = network(images)
        targets, covers = targets_of(logits), covers_of(images, fill, patch)
        whole = target_scores(logits, lambda _: targets)[:, None]

        def covered(some, owners, numbers):
            return some + grid.squares(numbers)[..., None] * (tf.gather(covers, owners) - some)

        def falls(numbers):
            scores = version_scores(network, images, targets, covered, numbers)
            return tf.nn.relu(whole - scores) * differ(tf.concat([whole, scores], axis=1))[:, None]

        numbers = every_version(images, grid.count)
        maps = _coarse_to_fine(grid, images, falls) if coarse else grid.spread(numbers, falls(numbers))
        return Explained(scaled(maps), logits, pooled)

    return explain


def covers_of(images, fill, patch):
    """What patches are covered with.

    Args:
        images: float32 (N,H,W,C).
        fill: one of FILLS.
        patch: side of a patch in pixels.

    Returns:
        float32 tensor (N,H,W,C), or (N,1,1,C) where it is one colour; "blur" is the mean of the pixels around, twice.
    """
    if fill == MEAN:
        return tf.reduce_mean(images, axis=(1, 2), keepdims=True)
    if fill == ZERO:
        return tf.zeros_like(images[:, :1, :1])
    window = 2 * (patch // 2) + 3  # odd, and wider than the patch
    for shape in ((window, 1), (1, window)) * 2:
        images = tf.nn.avg_pool2d(images, shape, 1, "SAME")
    return images


def _coarse_to_fine(grid, images, falls):
    """The map (N,H,W) from the coarse patches and those of the others that lie where it is highest."""
    first, others = grid.coarse()
    numbers = tf.tile(tf.constant(first)[None], (tf.shape(images)[0], 1))
    found = falls(numbers)
    if not others:
        return grid.spread(numbers, found)
    heat = tf.gather(grid.means(grid.spread(numbers, found)), others, axis=1)
    hottest = tf.math.top_k(heat, math.ceil(_REFINED * len(others))).indices
    refined = tf.gather(tf.constant(others), hottest)
    return grid.spread(tf.concat([numbers, refined], axis=1), tf.concat([found, falls(refined)], axis=1))
