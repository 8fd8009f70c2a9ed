"""Images with some of their pixels covered, uncovered or imputed, in the order of a heatmap. No TensorFlow."""

import cv2
import numpy as np

from medxray.explain.checks.imputation import impute
from medxray.metrics.faithfulness import area_under, brightest

DELETION, INSERTION, ROAD = "deletion", "insertion", "road"
FRACTIONS = {DELETION: (0.05, 0.1, 0.2, 0.4, 0.7), INSERTION: (0.05, 0.1, 0.2, 0.4, 0.7), ROAD: (0.1, 0.2, 0.4)}
VERSIONS = sum(map(len, FRACTIONS.values()))  # forward passes for one map of one image
BETTER = {DELETION: "lower", INSERTION: "higher", ROAD: "lower"}
BLUR = 0.1  # standard deviation, share of the shorter side of the image


def part_of(pixels, box):
    """The image without the bars beside it: (...,H,W,C) or (H,W) -> a view of it; box as of `image_stream`."""
    top, left, height, width = box
    rows, columns = slice(top, top + height), slice(left, left + width)
    return pixels[rows, columns]


def filled(pixels, box):
    """An image that is its own mean colour everywhere: where deletion ends.

    Args:
        pixels: float32 (H,W,C), 0-255, a model's input.
        box: (top, left, height, width) in pixels, where the image lies in it; the bars stay as they are.

    Returns:
        float32 (H,W,C).
    """
    image = part_of(pixels, box)
    return _with(pixels, box, np.broadcast_to(image.mean(axis=(0, 1)), image.shape))


def blurred(pixels, box):
    """An image out of focus, where insertion begins: a Gaussian of a tenth of its shorter side; as for `filled`."""
    image = np.ascontiguousarray(part_of(pixels, box))
    soft = cv2.GaussianBlur(image, (0, 0), BLUR * min(image.shape[:2]), borderType=cv2.BORDER_REFLECT)
    return _with(pixels, box, soft.reshape(image.shape))


def versions(pixels, box, order, random):
    """All changed versions of an image for one map, in the order of `FRACTIONS`.

    Args:
        pixels: as for `filled`.
        box: as for `filled`.
        order: pixels of the box from the brightest of the map on, see `metrics.faithfulness.brightest_first`.
        random: numpy Generator of the noise of imputed pixels.

    Returns:
        float32 (VERSIONS,H,W,C).

    Source: Petsiuk et al. (2018), RISE, for deletion and insertion, Rong et al. (2022) for ROAD with the most
    relevant pixels removed first; deviations: few fractions; deletion covers with the mean colour of the image;
    insertion begins with a stronger blur, since the authors' leaves opacities of the lung visible.
    """
    image, shape = part_of(pixels, box), box[2:]
    mean, soft = part_of(filled(pixels, box), box), part_of(blurred(pixels, box), box)
    made = {
        DELETION: lambda chosen: np.where(chosen[..., None], mean, image),
        INSERTION: lambda chosen: np.where(chosen[..., None], image, soft),
        ROAD: lambda chosen: impute(image, chosen, random),
    }
    return np.stack(
        [
            _with(pixels, box, made[figure](brightest(order, share, shape)))
            for figure, shares in FRACTIONS.items()
            for share in shares
        ]
    )


def curves(scores, original, covered, soft):
    """Scores of changed images as curves from end to end.

    Args:
        scores: float array (n,VERSIONS), of `versions`.
        original: float array (n,), scores of the unchanged images.
        covered: float array (n,), of `filled` ones.
        soft: float array (n,), of `blurred` ones.

    Returns:
        dict figure -> (fractions float64 (F,), scores float64 (n,F)); that of ROAD ends at its last fraction.
    """
    ends = {DELETION: (original, covered), INSERTION: (soft, original), ROAD: (original, None)}
    found, start = {}, 0
    for figure, shares in FRACTIONS.items():
        part = np.asarray(scores, np.float64)[:, start : start + len(shares)]
        start += len(shares)
        first, last = ends[figure]
        columns = [np.asarray(first)[:, None], part, *([] if last is None else [np.asarray(last)[:, None]])]
        found[figure] = (
            np.array([0.0, *shares, *([] if last is None else [1.0])]),
            np.concatenate(columns, axis=1),
        )
    return found


def areas(curves_of_map):
    """Dict figure -> float64 (n,), the area under each image's curve, from what `curves` returns."""
    return {figure: area_under(*curve) for figure, curve in curves_of_map.items()}


def _with(pixels, box, image):
    """The pixels with another image in the box."""
    changed = pixels.copy()
    part_of(changed, box)[...] = image
    return changed
