"""Removed pixels filled from those around them, so that the hole itself tells a model little. No TensorFlow."""

import cv2
import numpy as np

NOISE = 0.01 * 255  # standard deviation, grey levels
_KERNEL = np.array([[1, 2, 1], [2, 0, 2], [1, 2, 1]], np.float32) / 12
_STEPS = 200  # of conjugate gradients at most, on each grid
_ENOUGH = 0.01  # grey levels by which an equation may be missed
_SMALLEST = 4  # pixels, side of the coarsest grid


def impute(image, removed, random):
    """Noisy linear imputation: each removed pixel is the weighted mean of its neighbours, plus noise.

    Direct neighbours weigh 1/6 each, diagonal ones 1/12; pixels outside the image have no weight.

    Args:
        image: float32 (H,W,C), 0-255.
        removed: bool (H,W), not all True.
        random: numpy Generator of the noise.

    Returns:
        float32 (H,W,C), 0-255; what is not removed stays as it is.

    Source: Rong et al. (2022), A consistent and efficient evaluation strategy for attribution methods, noisy linear
    imputation; deviations: the linear system is solved by conjugate gradients on grids from coarse to fine, until each
    equation holds to 0.01 grey levels; the noise is a hundredth of the range of grey levels (the authors' program: of
    standardised colours), and what it would take out of the range is cut off.
    """
    planes = [_solve(np.ascontiguousarray(plane), removed) for plane in np.moveaxis(image, -1, 0)]
    noisy = np.stack(planes, axis=-1) + random.normal(0, NOISE, (*removed.shape, 1)).astype(np.float32)
    return np.where(removed[..., None], np.clip(noisy, 0, 255), image)


def _solve(plane, removed):
    """A plane (H,W), float32, whose removed pixels solve the equations."""
    if not removed.any():
        return plane
    start = np.where(removed, plane[~removed].mean(), plane)
    if min(plane.shape) >= 2 * _SMALLEST:
        coarse, empty = _halved(plane, removed)
        filled = cv2.resize(_solve(coarse, empty), plane.shape[::-1], interpolation=cv2.INTER_LINEAR)
        start = np.where(removed, filled, plane)
    return _conjugate_gradients(start.astype(np.float32), removed.astype(np.float32))


def _halved(plane, removed):
    """The mean of the pixels left in each square of four, and where none is left; half squares end odd sides."""
    kept = np.pad((~removed).astype(np.float32), [(0, side % 2) for side in plane.shape])
    values = np.pad(plane, [(0, side % 2) for side in plane.shape]) * kept
    squares = (kept.shape[0] // 2, 2, kept.shape[1] // 2, 2)
    number, total = (part.reshape(squares).sum(axis=(1, 3)) for part in (kept, values))
    return total / np.maximum(number, 1), number == 0


def _conjugate_gradients(plane, unknown):
    """Solve for the pixels where `unknown` is 1, from their values in `plane`; Hestenes and Stiefel (1952)."""
    weights = _neighbours(np.ones_like(plane))

    def applied(values):
        return unknown * (weights * values - _neighbours(values))

    residual = -applied(plane)
    direction, power = residual, float((residual**2).sum())
    for _ in range(_STEPS):
        if np.abs(residual).max() <= _ENOUGH:
            break
        image = applied(direction)
        step = power / float((direction * image).sum())
        plane = plane + step * direction
        residual = residual - step * image
        before, power = power, float((residual**2).sum())
        direction = residual + power / before * direction
    return plane


def _neighbours(values):
    return cv2.filter2D(values, cv2.CV_32F, _KERNEL, borderType=cv2.BORDER_CONSTANT)
