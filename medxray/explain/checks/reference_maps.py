"""Maps that know nothing of the model, which every method has to beat. No TensorFlow."""

import numpy as np

RANDOM, CENTRE = "random", "centre"
NAMES = {RANDOM: "random", CENTRE: "a centre blob"}  # in words
_SIGMA = 0.25  # of the blob, share of each side of the image


def random_cells(count, cells, random):
    """Random heat of the cells of a layer, for maps of the same fineness as those of a method.

    Heat that is drawn pixel by pixel would cover an image with noise, unlike any that a map covers.

    Args:
        count: number of images.
        cells: (h, w) of the layer.
        random: numpy Generator.

    Returns:
        float32 (count,h,w), 0-1.
    """
    return random.random((count, *cells), dtype=np.float32)


def centre_blob(size, box):
    """A Gaussian at the centre of an image, a quarter of each of its sides wide.

    Args:
        size: (H, W) of the model's input in pixels.
        box: (top, left, height, width) of the image in it.

    Returns:
        float32 (H,W), 0-1; 1 at the centre.
    """
    distances = [
        (np.arange(side) + 0.5 - start - length / 2) / (_SIGMA * length)
        for side, start, length in zip(size, box[:2], box[2:], strict=True)
    ]
    rows, columns = (np.exp(-0.5 * distance**2) for distance in distances)
    return np.outer(rows, columns).astype(np.float32)
