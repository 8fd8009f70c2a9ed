"""The lung field of a chest X-ray. numpy and OpenCV only."""

from typing import NamedTuple

import cv2
import numpy as np

from medxray.data.lungs.pairs import best_pair
from medxray.data.lungs.regions import SIDE, lung_like_regions

LEAST_HEIGHT, LEAST_AREA = 0.42, 0.14  # of the field, shares of the image's height and area
NO_REGIONS = "no dark region has the form of a lung"
NO_PAIR = "no two dark regions lie like lungs"
TOO_SMALL = "the two dark regions are too small or too low for lungs"


class LungField(NamedTuple):
    """Where the lungs of an image lie.

    Attributes:
        mask: bool array (h,w); None where they were not found.
        reason: why they were not found; "" where they were.
    """

    mask: np.ndarray | None
    reason: str


def lung_field(image):
    """Find the lungs of a chest X-ray.

    Two dark regions that have the form of lungs and lie like them are completed: each is joined with the mirror image
    of the other, and the convex hull is taken. So an opacity that hides a part of one lung counts as lung, and so does
    most of what lies behind the heart. Where the same parts of both lungs are hidden, the field ends at them.

    Args:
        image: uint8 (h,w) or (h,w,C), the X-ray without bars; air is dark. Channels are averaged.

    Returns:
        LungField, as large as the image.
    """
    image = np.asarray(image)
    grey = image if image.ndim == 2 else np.rint(image.mean(axis=2)).astype(np.uint8)
    regions = lung_like_regions(np.ascontiguousarray(grey))
    pair = best_pair(regions)
    if pair is None:
        return LungField(None, NO_PAIR if regions else NO_REGIONS)
    field = completed(*pair)
    if field.any(axis=1).mean() < LEAST_HEIGHT or field.mean() < LEAST_AREA:
        return LungField(None, TOO_SMALL)
    height, width = grey.shape
    return LungField(cv2.resize(field.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0, "")


def completed(left, right):
    """The hulls of two regions, each joined with the mirror image of the other: bool array (SIDE,SIDE).

    The midline is half-way between the middle of their outer edges and that of their inner ones.
    """
    outer = (left.left + right.left + right.width) / 2
    inner = (left.left + left.width + right.left) / 2
    midline = (outer + inner) / 2
    return _hull(left.mask | mirrored(right.mask, midline)) | _hull(right.mask | mirrored(left.mask, midline))


def mirrored(mask, midline):
    """A mask (SIDE,SIDE) mirrored about a column, share of the width; what falls out of the image is lost."""
    columns = np.rint(2 * midline * SIDE - 1 - np.arange(SIDE)).astype(int)
    inside = (columns >= 0) & (columns < SIDE)
    turned = np.zeros_like(mask)
    turned[:, inside] = mask[:, columns[inside]]
    return turned


def _hull(mask):
    filled = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(np.argwhere(mask)[:, ::-1].astype(np.int32)), 1)
    return filled > 0
