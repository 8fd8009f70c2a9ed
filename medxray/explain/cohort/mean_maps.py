"""Heatmaps and images of different forms on one grid, and their means. No TensorFlow."""

import cv2
import numpy as np

GRID = 128  # rows and columns that every image is stretched to


def on_grid(values):
    """An array (h,w), such as a heatmap, a grey image or a mask, stretched to GRID x GRID: float32."""
    return cv2.resize(np.asarray(values, np.float32), (GRID, GRID), interpolation=cv2.INTER_LINEAR)


def relative_heat(heat):
    """A heatmap on the grid, divided by its mean: 1 is what a map that is the same everywhere has.

    Maps of different images then weigh alike, and shares of the mean map are means of the shares.

    Args:
        heat: float array (h,w), 0 or more.

    Returns:
        float32 (GRID,GRID), of mean 1; nan everywhere for a map without heat.
    """
    stretched = on_grid(heat)
    mean = stretched.mean()
    return stretched / mean if mean > 0 else np.full_like(stretched, np.nan)


def mean_over(maps, members):
    """Mean of some of the maps (n,GRID,GRID), those that are nan left out: float32, nan where none is left."""
    chosen = maps[np.asarray(members, bool)]
    chosen = chosen[np.isfinite(chosen[:, 0, 0])]
    return chosen.mean(axis=0) if len(chosen) else np.full(maps.shape[1:], np.nan, np.float32)
