"""Whether a heatmap shows a place that is known: pointing game, overlap, energy."""

import cv2
import numpy as np


def dilated(region, margin):
    """A region with all pixels that are at most `margin` rows and columns away from it.

    Args:
        region: bool array (H,W).
        margin: (rows, columns), int, 0 or more.

    Returns:
        bool array (H,W).
    """
    kernel = np.ones([2 * reach + 1 for reach in margin], np.uint8)
    return cv2.dilate(np.asarray(region).astype(np.uint8), kernel) > 0


def hits(order, region):
    """Whether the brightest pixel of a map lies in a region.

    Args:
        order: int array (H*W,), pixels from the brightest on, see `faithfulness.brightest_first`.
        region: bool array (H,W), with the tolerance that is allowed, see `dilated`.

    Returns:
        bool.

    Source: Zhang et al. (2016), Excitation backprop, the pointing game; deviations: the tolerance is the caller's (the
    paper has 15 pixels); of equal pixels a random one counts.
    """
    return bool(np.asarray(region).ravel()[order[0]])


def overlap(order, region):
    """Intersection over union of a region and the brightest pixels of a map, as many as the region has.

    Args:
        order: as for `hits`.
        region: bool array (H,W) with one pixel or more.

    Returns:
        float, 0-1.
    """
    inside = np.asarray(region).ravel()
    size = int(inside.sum())
    common = int(inside[order[:size]].sum())
    return common / (2 * size - common)


def energy_inside(heat, region):
    """Share of the heat that lies in a region.

    Args:
        heat: float array (H,W), 0 or more.
        region: bool array (H,W).

    Returns:
        float, 0-1; 0 for a map without heat.

    Source: Wang et al. (2020), Score-CAM, energy-based pointing game; deviations: regions of any form.
    """
    heat = np.asarray(heat, np.float64)
    total = heat.sum()
    return float(heat[np.asarray(region, bool)].sum() / total) if total > 0 else 0.0
