"""From a heatmap to the order of its pixels, and from scores of changed images to one figure."""

import numpy as np


def brightest_first(heat, random, *, ties=None):
    """Pixels in falling order of their heat; pixels of equal heat stand in that of another map, and then at random.

    So a map that is the same everywhere gives the order of the other map.

    Args:
        heat: float array (H,W).
        random: numpy Generator.
        ties: float array (H,W), the other map; None: equal pixels stand in random order.

    Returns:
        int64 array (H*W,), positions in `heat.ravel()`.
    """
    values = np.asarray(heat, np.float64).ravel()
    other = np.zeros(len(values)) if ties is None else -np.asarray(ties, np.float64).ravel()
    return np.lexsort((random.random(len(values)), other, -values))


def brightest(order, share, shape):
    """The brightest pixels of a map.

    Args:
        order: of `brightest_first`.
        share: of all pixels, 0-1; their number is rounded.
        shape: (H, W).

    Returns:
        bool array (H,W).
    """
    chosen = np.zeros(len(order), bool)
    chosen[order[: round(share * len(order))]] = True
    return chosen.reshape(shape)


def area_under(fractions, scores):
    """Area under the curve of scores, by trapezoids, divided by its width: the mean score on the way.

    Args:
        fractions: float array (F,), rising, two or more.
        scores: float array (...,F), such as probabilities.

    Returns:
        float64 array (...), between the lowest and the highest score.

    Source: Petsiuk et al. (2018), RISE, deletion and insertion; deviations: few fractions at unequal distances.
    """
    fractions = np.asarray(fractions, np.float64)
    return np.trapezoid(np.asarray(scores, np.float64), fractions, axis=-1) / (fractions[-1] - fractions[0])
