"""The dark regions of a chest X-ray that have the form of a lung. numpy and OpenCV only.

Regions are looked for in a square of `SIDE` pixels a side, in which lengths and areas are shares of the image.
"""

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

SIDE = 128
_SMOOTH = 0.012  # deviation of a Gaussian: ribs and noise become faint
_NEAR = 0.16  # deviation of the neighbourhood that local brightness is compared with
_LEAST_DEVIATION = 4.0  # grey levels
_SHARES = np.linspace(0.08, 0.62, 19)  # of the pixels, which count as dark
_OPENINGS = (0.03, 0.07)  # widths of the bridges between regions that are cut
_AREA, _HEIGHT, _WIDTH = (0.02, 0.22), (0.22, 0.85), (0.08, 0.48)
_SLIMNESS, _CENTRE, _SOLIDITY = (0.8, 4.5), (0.28, 0.72), 0.6
_EDGE_BAND, _EDGE = 3 / SIDE, 0.12  # how much of a region may lie along the edge of the image
_RING = 0.08


@dataclass(frozen=True, eq=False)
class Region:
    """A dark region.

    Attributes:
        mask: bool array (SIDE,SIDE).
        left, top, width, height: of its bounding box.
        x, y: its centre of mass.
        area: share of the image.
        solidity: share of its convex hull that it fills.
        contrast: by how much it is darker than what surrounds it, share of the grey levels.
        edge: length that lies at the edge of the image.
    """

    mask: np.ndarray
    left: float
    top: float
    width: float
    height: float
    x: float
    y: float
    area: float
    solidity: float
    contrast: float
    edge: float


def lung_like_regions(image):
    """Find the regions that could be a lung.

    Many thresholds are tried, on the image with equalised contrast and on brightness relative to the neighbourhood,
    because one lung may be far brighter than the other.

    Args:
        image: uint8 (h,w), the X-ray without bars; air is dark.

    Returns:
        list of Region, many of which overlap.

    Source: Zuiderveld (1994) for the equalised contrast (CLAHE); thresholds and forms are this project's.
    """
    even = _even(image)
    found = []
    for source, width, share in itertools.product((even, _relative(even)), _OPENINGS, _SHARES):
        dark = (source <= np.quantile(source, share)).astype(np.uint8)
        dark = cv2.morphologyEx(dark, cv2.MORPH_OPEN, _disc(width))
        count, numbers, boxes, centres = cv2.connectedComponentsWithStats(dark, connectivity=4)
        for number in range(1, count):
            if _is_lung_like(boxes[number], centres[number]):
                region = _region(even, numbers == number, boxes[number], centres[number])
                found += [region] if region.edge <= _EDGE and region.solidity >= _SOLIDITY else []
    return found


def _even(image):
    square = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    square = cv2.GaussianBlur(square, (0, 0), _SMOOTH * SIDE)
    square = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(3, 3)).apply(square)
    return cv2.GaussianBlur(square, (0, 0), _SMOOTH * SIDE)


def _relative(even):
    """Grey levels less those of the neighbourhood, by its deviation, as uint8."""
    values = even.astype(np.float32)
    values -= cv2.GaussianBlur(values, (0, 0), _NEAR * SIDE)
    deviation = np.sqrt(cv2.GaussianBlur(values * values, (0, 0), _NEAR * SIDE)) + _LEAST_DEVIATION
    return cv2.normalize(values / deviation, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def _disc(width):
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (max(3, round(width * SIDE) | 1),) * 2)


def _is_lung_like(box, centre):
    """Whether bounding box, area and height of the centre are those of a lung."""
    width, height, area = box[2] / SIDE, box[3] / SIDE, box[4] / SIDE**2
    pairs = (
        (area, _AREA),
        (height, _HEIGHT),
        (width, _WIDTH),
        (height / width, _SLIMNESS),
        (centre[1] / SIDE, _CENTRE),
    )
    return all(low <= value <= high for value, (low, high) in pairs)


def _region(even, mask, box, centre):
    hull = cv2.convexHull(np.argwhere(mask)[:, ::-1].astype(np.int32))
    band = round(_EDGE_BAND * SIDE)
    rows, columns = (mask[:band], mask[-band:]), (mask[:, :band], mask[:, -band:])
    edge = sum(part.any(axis=0).sum() for part in rows) + sum(part.any(axis=1).sum() for part in columns)
    ring = (cv2.dilate(mask.astype(np.uint8), _disc(_RING)) > 0) & ~mask
    left, top, width, height = (float(length) / SIDE for length in box[:4])
    return Region(
        mask=mask,
        left=left,
        top=top,
        width=width,
        height=height,
        x=float(centre[0]) / SIDE,
        y=float(centre[1]) / SIDE,
        area=float(mask.mean()),
        solidity=min(float(mask.sum() / max(cv2.contourArea(hull), 1)), 1.0),
        contrast=float(np.median(even[ring]) - np.median(even[mask])) / 255,
        edge=float(edge) / SIDE,
    )
