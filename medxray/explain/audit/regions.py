"""The regions of an image that are replaced, and what they are replaced by. numpy and OpenCV only."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from medxray.explain.checks.perturbations import part_of
from medxray.metrics.map_concentration import border_mask

CORNER = 0.25  # of height and width: where side markers stand
PARTNERS = 3  # other images whose pixels are put into each image in turn
SIZE, BORDER_PIXELS, LUNGS_MASKED = "size", "border_pixels", "lungs_masked"  # what alone may predict the class
OTHER_IMAGE, MEAN = "other_image", "mean"
FILLS = {OTHER_IMAGE: "those of another image", MEAN: "the mean colour"}


@dataclass(frozen=True)
class ReplacedRegion:
    """A region of an image.

    Attributes:
        name: what it is called in reports.
        words: what it is called in tables.
        when: what is done where another image's pixels replace it, in sentences.
        mask: function (lungs, a bool array (h,w) or None where they were not found; (h, w)) -> bool array (h,w), or
            None where it is not known.
    """

    name: str
    words: str
    when: str
    mask: Callable


def _upper_corners(lungs, shape):
    rows, columns = (round(CORNER * side) for side in shape)
    mask = np.zeros(shape, bool)
    mask[:rows, :columns] = mask[:rows, shape[1] - columns :] = True
    return mask


BORDER = ReplacedRegion(
    name="border",
    words="the border",
    when="with another image's border",
    mask=lambda lungs, shape: border_mask(shape),
)
MARKER_REGION = ReplacedRegion(
    name="marker_region",
    words="the upper corners",
    when="with another image's upper corners",
    mask=_upper_corners,
)
OUTSIDE_LUNGS = ReplacedRegion(
    name="outside_lungs",
    words="everything outside the lungs",
    when="with another image outside the lungs",
    mask=lambda lungs, shape: None if lungs is None else ~lungs,
)
LUNGS = ReplacedRegion(
    name="lungs",
    words="the lungs",
    when="with another image's lungs",
    mask=lambda lungs, shape: lungs,
)
SHORTCUTS = (BORDER, MARKER_REGION, OUTSIDE_LUNGS)


def partners(labels, patients, seed):
    """Images for each image whose pixels are put into it in turn: of another class, where there are such.

    Args:
        labels: int array (n,), class index; n at least 2.
        patients: str array (n,).
        seed: of the draws.

    Returns:
        int64 array (p,n): positions of different images of another class and patient; where there are none of another
        patient; where there are none either of the other images. p is `PARTNERS`, or what the image with the fewest
        such images has.
    """
    others = [_others(at, labels, patients) for at in range(len(labels))]
    count = min(PARTNERS, *map(len, others))
    random = np.random.default_rng(seed)
    return np.stack([random.choice(choices, count, replace=False) for choices in others], axis=1)


def _others(at, labels, patients):
    other_patient = patients != patients[at]
    choices = (other_patient & (labels != labels[at]), other_patient, np.arange(len(labels)) != at)
    return np.flatnonzero(next(choice for choice in choices if choice.any()))


def replaced(pixels, box, mask, source):
    """Replace a region of an image.

    Args:
        pixels: uint8 array (H,W,C), a model's input.
        box: (top, left, height, width) in pixels, where the image lies in it; the bars stay as they are.
        mask: bool array (height,width), the region.
        source: uint8 array (h,w,C), an image without bars, which is stretched to the box; None: the mean colour of the
            image.

    Returns:
        float32 array (H,W,C), 0-255.
    """
    changed = pixels.astype(np.float32)
    image = part_of(changed, box)
    if source is None:
        image[mask] = image.mean(axis=(0, 1))
    else:
        height, width = image.shape[:2]
        stretched = cv2.resize(np.ascontiguousarray(source), (width, height), interpolation=cv2.INTER_AREA)
        image[mask] = stretched.reshape(image.shape)[mask]
    return changed
