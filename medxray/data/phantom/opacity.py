"""The opacities of a synthetic phantom: lobar (bacterial-like) and interstitial (viral-like). numpy and OpenCV."""

import numpy as np

from medxray.data.phantom.anatomy import branch
from medxray.data.phantom.grid import bump, edge

_LOBES = {"upper": (0.38, -0.42, 0.24, 0.20), "middle": (0.36, -0.06, 0.22, 0.15), "lower": (0.44, 0.14, 0.24, 0.19)}
_VISIBLE = 0.35  # of the densest place: where the mask ends


def bacterial(grid, air, rng):
    """One or two consolidations of a lobe, dense, with a fissure as a border and air bronchograms.

    Args:
        grid: Grid.
        air: share of air (h, w), 0-1.
        rng: numpy Generator of the patient: place and shape.

    Returns:
        float32 (h, w), 0-1: relative density; multiply by the severity of the exposure.
    """
    field = np.zeros(grid.shape, np.float32)
    lobes = 2 if rng.random() < 0.25 else 1
    for _ in range(lobes):
        sign, lobe = rng.choice((-1, 1)), str(rng.choice(sorted(_LOBES)))
        growth = np.array([1, 1, *rng.uniform(0.85, 1.4, 2)])
        x, y, wide, high = np.array(_LOBES[lobe]) * growth + rng.normal(0, 0.03, 4)
        lump = 1 - np.hypot((grid.x - float(sign * x)) * float(1 / wide), (grid.y - float(y)) * float(1 / high))
        lump += 0.22 * grid.noise(rng, 0.22) + 0.08 * grid.noise(rng, 0.07)
        if lobe != "lower":
            fissure = float(y + high * rng.uniform(0.35, 0.7))
            lump = np.minimum(lump, (fissure + 0.18 * (grid.side - float(x)) - grid.y) * 9)
        hollow = np.zeros(grid.shape, np.float32)
        for angle in np.arctan2(y + 0.04, x - 0.15) + rng.normal(0, 0.3, 4):
            grid.draw(hollow, branch(np.array([sign * 0.17, -0.04]), angle, sign, reach=0.5, bend=0.2), 0.014)
        field = np.maximum(field, edge(lump - 0.15, 0.45) * (1 - 0.30 * grid.blur(hollow, 0.008)))
    return field * air


def viral(grid, air, rng):
    """Patchy haze with streaks and a net-like texture in both lungs, densest about the hila.

    Args and returns as `bacterial`.
    """
    perihilar = bump(grid.side - 0.26, 0.24) * bump(grid.y - 0.02, 0.34)
    patches = edge(grid.noise(rng, 0.20) - float(rng.uniform(0.1, 0.6)), 0.8)
    lean = 1 + float(rng.uniform(-0.45, 0.45)) * np.sign(grid.x)
    net = grid.blur(bump(grid.noise(rng, 0.05), 0.5), 0.006)
    streaks = np.zeros(grid.shape, np.float32)
    for sign in (-1, 1):
        for angle in rng.uniform(-1.3, 1.4, 9):
            start = np.array([sign * 0.16, -0.04]) + rng.normal(0, 0.03, 2)
            grid.draw(streaks, branch(start, angle, sign, reach=rng.uniform(0.2, 0.45), bend=0.2), 0.017)
    haze = (0.55 * perihilar + 0.60 * patches) * lean
    return np.clip(haze * (0.70 + 0.40 * net) + 0.45 * grid.blur(streaks, 0.011) * perihilar, 0, 1.2) * air


def opacity_mask(density, grid, air):
    """Where a reader would outline the opacity.

    Args:
        density: relative density (h, w) from `bacterial` or `viral`, or zeros.
        grid: Grid.
        air: share of air (h, w).

    Returns:
        uint8 (h, w), 0 or 255.
    """
    smooth = grid.blur(np.ascontiguousarray(density, np.float32), 0.025)
    peak = float(smooth.max())
    inside = (smooth > _VISIBLE * peak) & (air > 0.1) if peak > 0 else np.zeros(grid.shape, bool)
    return inside.astype(np.uint8) * 255
