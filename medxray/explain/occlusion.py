"""Occlusion: how far the score falls when a patch of the image is covered."""

import math

import tensorflow as tf

from medxray.errors import ConfigError
from medxray.explain.maps import Explained, scaled, target_scores
from medxray.explain.occlusion_grid import grids_of
from medxray.explain.passes import whole_network
from medxray.explain.versions import differ, every_version, version_scores

MEAN, ZERO, BLUR = "mean", "zero", "blur"
FILLS = (MEAN, ZERO, BLUR)
_REFINED = 0.25  # share of the patches left out by the coarse grid that is tried after it


def occlusion_graph(model, layer, *, patch, stride, fill, coarse, sizes):
    """Occlusion maps at input resolution, from one forward pass for the image and one for each patch.

    A pixel has the mean fall of the score over the patches tried that cover it, below 0 where they hide what speaks
    against the class. The maps of several sizes of patches are added; what is below 0 then counts as 0.

    Args:
        model: a classifier with the layers `pooled` and `logits`.
        layer: None.
        patch: side of the smallest square that is covered, pixels of the input.
        stride: from one patch to the next, pixels, at most `patch`, and half of it where `coarse` is 1; the last ones
            lie at the right and the bottom edge.
        fill: one of FILLS, what covers: the mean colour of the input with its black bars, black, or the input out of
            focus.
        coarse: 1 tries every second patch of every second row first, and then the quarter of the others where the map
            of these is highest; 0 tries all.
        sizes: how many sizes of patches, each half of `patch` wider than the one before, see `sides_of`.

    Returns:
        function as `methods` describes it.

    Raises:
        ConfigError: the patch is larger than the input, or the patches leave pixels out.

    Source: Zeiler and Fergus (2014), section 4.2; deviations: `maps.target_scores` in place of the probability, the
    fall in place of what remains, several fills and sizes, coarse to fine, the scaling to 0-1.
    """
    size = model.input.shape[1:3]
    _check(model, size, patch=patch, stride=stride, coarse=coarse)
    network, grids = whole_network(model), grids_of(size, patch=patch, stride=stride, sizes=sizes)

    def explain(images, targets_of):
        logits, pooled = network(images)
        targets = targets_of(logits)
        whole = target_scores(logits, lambda _: targets)[:, None]

        def map_of(grid):
            covers = covers_of(images, fill, grid.patch)

            def covered(some, owners, numbers):
                return some + grid.squares(numbers)[..., None] * (tf.gather(covers, owners) - some)

            def falls(numbers):
                scores = version_scores(network, images, targets, covered, numbers)
                return (whole - scores) * differ(tf.concat([whole, scores], axis=1))[:, None]

            numbers = every_version(images, grid.count)
            return _coarse_to_fine(grid, images, falls) if coarse else grid.spread(numbers, falls(numbers))

        return Explained(scaled(tf.nn.relu(tf.add_n([map_of(grid) for grid in grids]))), logits, pooled)

    return explain


def _check(model, size, *, patch, stride, coarse):
    if patch > min(size):
        raise ConfigError(f"patch of occlusion must be at most {min(size)} for {model.name}. Received {patch}.")
    if stride * (1 + coarse) > patch:
        needed = f"at most half of patch with coarse=1, {patch // 2}" if coarse else f"at most patch, {patch}"
        raise ConfigError(f"stride of occlusion must be {needed}: pixels would be left out. Received {stride}.")


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
