"""Weights replaced by random ones, from the logits down, one stage after the other; and what becomes of the maps."""

import contextlib

import numpy as np

from medxray.explain.checks.perturbations import part_of
from medxray.metrics.map_similarity import rank_correlation, structural_similarity

HEAD = "head"
_NEXT = (1, 2, 3)  # an image is compared with those so many places behind it


def depths(model, stages):
    """The groups of layers that are randomised one after the other.

    Args:
        model: keras.Model, flat, whose layers stand in the order of the computation.
        stages: names of the layers that end each block, from the input on.

    Returns:
        list of (name, layers with weights): first what lies behind the last stage, named "head", then the stages from
        the last to the first. Stages without weights are left out.
    """
    names = [layer.name for layer in model.layers]
    ends = [names.index(stage) + 1 for stage in stages]
    groups = zip([HEAD, *reversed(stages)], [*reversed(ends), 0], [len(names), *reversed(ends)], strict=True)
    weighted = [(name, [layer for layer in model.layers[start:end] if layer.weights]) for name, start, end in groups]
    return [(name, layers) for name, layers in weighted if layers]


@contextlib.contextmanager
def weights_kept(model):
    """Whatever happens to the weights of a model in the block, it has its own again afterwards, bit for bit."""
    before = [(layer, layer.get_weights()) for layer in model.layers if layer.weights]
    try:
        yield
    finally:
        for layer, weights in before:
            layer.set_weights(weights)


def randomise(layers, random):
    """Give layers the weights of an untrained network, in place.

    Kernels are normal with variance 2 / fan-in (He et al. 2015), so that activations keep their size. Scales and
    variances of normalisations become 1; biases, offsets and means 0.

    Args:
        layers: keras layers.
        random: numpy Generator.
    """
    for layer in layers:
        layer.set_weights([_untrained(layer, weight, random) for weight in layer.weights])


def _untrained(layer, weight, random):
    shape = tuple(weight.shape)
    if len(shape) > 1:
        depthwise = "depthwise" in type(layer).__name__.casefold()
        fan_in = np.prod(shape[:-2] if depthwise else shape[:-1])
        return random.normal(0, np.sqrt(2 / fan_in), shape)
    return np.full(shape, 1.0 if weight.name in ("gamma", "moving_variance") else 0.0)


def likeness(first, second, boxes):
    """How alike two maps of the same images are, where the images lie.

    Args:
        first: float array (n,H,W), 0-1.
        second: float array (n,H,W), 0-1.
        boxes: list of (top, left, height, width).

    Returns:
        (median rank correlation, median structural similarity) over the images, floats; maps that are the same
        everywhere count as 0.
    """
    pairs = [(part_of(one, box), part_of(other, box)) for one, other, box in zip(first, second, boxes, strict=True)]
    ranks = [rank_correlation(*pair) for pair in pairs]
    return float(np.median(ranks)), float(np.median([structural_similarity(*pair) for pair in pairs]))


def likeness_between_images(maps, boxes):
    """Median rank correlation of the maps of different images, where both lie; each with the three behind it.

    Args:
        maps: float array (n,H,W), n at least 2.
        boxes: list of (top, left, height, width).

    Returns:
        float.
    """
    count = len(maps)
    pairs = {tuple(sorted((at, (at + step) % count))) for at in range(count) for step in _NEXT if step % count}
    found = []
    for one, other in sorted(pairs):
        box = _common(boxes[one], boxes[other])
        found.append(rank_correlation(part_of(maps[one], box), part_of(maps[other], box)))
    return float(np.median(found))


def _common(first, second):
    """The part of two boxes that they share."""
    top, left = max(first[0], second[0]), max(first[1], second[1])
    bottom = min(first[0] + first[2], second[0] + second[2])
    right = min(first[1] + first[3], second[1] + second[3])
    return top, left, bottom - top, right - left


def verdict(steps, between):
    """Whether maps depend on the weights, and by how much.

    Args:
        steps: list of (name of the depth, rank correlation, structural similarity), from the head on; the last one is
            that of the whole network.
        between: of `likeness_between_images`.

    Returns:
        dict: passed (the maps of the random network are not more like the original ones than those of other images
        are), rank_correlation and ssim with the maps of the random network, between_images, depths.

    Source: Adebayo et al. (2018), Sanity checks for saliency maps, cascading randomisation; deviations:
    stages instead of layers, a criterion that passes or fails, maps without contrast count as 0.
    """
    _, rank, ssim = steps[-1]
    columns = ("randomised", "rank_correlation", "ssim")
    return {
        "passed": bool(rank <= between),
        "rank_correlation": rank,
        "ssim": ssim,
        "between_images": between,
        "depths": [dict(zip(columns, step, strict=True)) for step in steps],
    }
