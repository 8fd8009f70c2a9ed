"""How alike two heatmaps are: rank correlation and structural similarity. A map without contrast counts as unlike."""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata

_SIGMA, _RADIUS = 1.5, 5  # of the Gaussian window, pixels: 11 x 11
_C1, _C2 = 0.01**2, 0.03**2  # for values from 0 to 1


def rank_correlation(first, second):
    """Rank correlation of the values of two maps; equal values have the mean of their ranks.

    Args:
        first: float array (H,W).
        second: float array (H,W).

    Returns:
        float, -1 to 1; 0 where one of them is the same everywhere or not finite.

    Source: Spearman (1904); deviations: 0 where it is not defined.
    """
    ranks = [_ranks(one) for one in (first, second)]
    if any(one is None for one in ranks):
        return 0.0
    return float(ranks[0] @ ranks[1])


def _ranks(values):
    """Ranks less their mean, of length 1, float64 (H*W,); None for a constant."""
    values = np.asarray(values, np.float64).ravel()
    if not _has_contrast(values):
        return None
    ranks = rankdata(values)
    ranks -= ranks.mean()
    return ranks / np.sqrt(ranks @ ranks)


def structural_similarity(first, second):
    """Mean structural similarity of two maps over the places where the window of 11 x 11 pixels fits.

    Args:
        first: float array (H,W), 0-1.
        second: float array (H,W), 0-1.

    Returns:
        float, -1 to 1; 0 where one of them is the same everywhere or not finite.

    Source: Wang et al. (2004), eq. 13; deviations: 0 for maps without contrast; where the window fits nowhere the
    mean is over all pixels, with the edges reflected.
    """
    first, second = (np.asarray(one, np.float64) for one in (first, second))
    if not (_has_contrast(first) and _has_contrast(second)):
        return 0.0
    mean_1, mean_2 = _smooth(first), _smooth(second)
    variance_1, variance_2 = _smooth(first**2) - mean_1**2, _smooth(second**2) - mean_2**2
    covariance = _smooth(first * second) - mean_1 * mean_2
    likeness = (2 * mean_1 * mean_2 + _C1) * (2 * covariance + _C2)
    likeness /= (mean_1**2 + mean_2**2 + _C1) * (variance_1 + variance_2 + _C2)
    inner = likeness[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS]
    return float((inner if inner.size else likeness).mean())


def _smooth(values):
    return gaussian_filter(values, _SIGMA, radius=_RADIUS)


def _has_contrast(values):
    return bool(np.isfinite(values).all() and np.ptp(values) > 0)
