"""How the heat of a map is spread: over few pixels or many, and at the border of the image."""

import numpy as np

BORDER = 0.1  # of height and width, on each side
UNIFORM_BORDER_SHARE = 1 - (1 - 2 * BORDER) ** 2  # of a map that is the same everywhere


def gini(heat):
    """Gini index of the heat of the pixels: 0 where all have the same, near 1 where few have all.

    Args:
        heat: float array (H,W), 0 or more.

    Returns:
        float, 0 to below 1; 0 for a map without heat.

    Source: Hurley and Rickard (2009), Comparing measures of sparsity; used for explanations by Chalasani et al. (2020);
    deviations: 0 where it is not defined.
    """
    values = np.sort(np.asarray(heat, np.float64).ravel())
    total, n = values.sum(), len(values)
    if not total > 0:
        return 0.0
    places = (n - np.arange(1, n + 1) + 0.5) / n
    return float(1 - 2 * (values @ places) / total)


def border_mask(shape):
    """The outer tenth of an image (height, width) on each side, rounded to whole pixels: bool array (H,W)."""
    mask = np.ones(shape, bool)
    rows, columns = (round(BORDER * side) for side in shape)
    mask[rows : shape[0] - rows, columns : shape[1] - columns] = False
    return mask


def border_share(heat):
    """Share of the heat that lies in the outer tenth of the image, on each side.

    Args:
        heat: float array (H,W), 0 or more, of the image without padding.

    Returns:
        float, 0-1; nan for a map without heat. A map that is the same everywhere has `UNIFORM_BORDER_SHARE`, up to
        rounding to whole pixels.
    """
    return share_inside(heat, border_mask(np.shape(heat)))


def share_inside(heat, region):
    """Share of the heat that lies in a region.

    Args:
        heat: float array (H,W), 0 or more.
        region: bool array (H,W); None: unknown.

    Returns:
        float, 0-1; nan for a map without heat, or without a region.
    """
    heat = np.asarray(heat, np.float64)
    total = heat.sum()
    return float(heat[region].sum() / total) if region is not None and total > 0 else float("nan")
