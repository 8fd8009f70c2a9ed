"""Two regions that lie to each other like lungs. numpy only; lengths are shares of the image."""

import itertools

_GAP, _DISTANCE, _MIDLINE = (-0.05, 0.40), (0.22, 0.65), (0.3, 0.7)
_LEAST_RATIO, _LEAST_OVERLAP = 0.3, 0.5  # of their areas, and of their heights
_ENOUGH_AREA, _ENOUGH_CONTRAST = 0.30, 0.2  # more of it makes a pair no better


def best_pair(regions):
    """The two regions that are most like a pair of lungs.

    They lie side by side about the middle of the image, are of similar area and overlap in height. Of several pairs
    the one with the highest `_likeness` is taken.

    Args:
        regions: list of regions.Region.

    Returns:
        (Region on the left of the image, Region on its right), or None where no two lie like lungs.
    """
    pairs = [pair for pair in itertools.permutations(regions, 2) if _is_plausible(*pair)]
    return max(pairs, key=lambda pair: _likeness(*pair), default=None)


def _is_plausible(left, right):
    between = (
        (right.left - left.left - left.width, _GAP),
        (right.x - left.x, _DISTANCE),
        ((left.x + right.x) / 2, _MIDLINE),
    )
    if not all(low <= value <= high for value, (low, high) in between):
        return False
    if _ratio(left, right) < _LEAST_RATIO or _overlap(left, right) < _LEAST_OVERLAP:
        return False
    return not (left.mask & right.mask).any()


def _ratio(left, right):
    return min(left.area, right.area) / max(left.area, right.area)


def _overlap(left, right):
    common = min(left.top + left.height, right.top + right.height) - max(left.top, right.top)
    return common / max(left.height, right.height)


def _likeness(left, right):
    """Large, alike, compact and dark is better; at the edge, off the middle or at different heights is worse."""
    contrast = sum(min(region.contrast, _ENOUGH_CONTRAST) for region in (left, right))
    return (
        1.2 * min(left.area + right.area, _ENOUGH_AREA) / _ENOUGH_AREA
        + 0.6 * _ratio(left, right)
        + 0.6 * _overlap(left, right)
        + 0.5 * (left.solidity + right.solidity)
        + 1.5 * contrast
        - 0.5 * (left.edge + right.edge)
        - 0.8 * abs((left.x + right.x) / 2 - 0.5)
        - 0.5 * abs(left.y - right.y)
    )
