"""Several tests at once: p-values that keep the chance of a single false alarm small."""

import numpy as np


def holm(p_values):
    """Adjust p-values so that all of them together hold a level.

    Args:
        p_values: list of floats, 0-1; None for a test that could not be made, which does not count.

    Returns:
        list of floats, 0-1, in the same order, None where None was given.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    made = [place for place, value in enumerate(p_values) if value is not None]
    values = np.array([p_values[place] for place in made], float)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * np.arange(len(values), 0, -1)
    adjusted = list(p_values)
    for place, value in zip(order, np.minimum(np.maximum.accumulate(scaled), 1), strict=True):
        adjusted[made[place]] = float(value)
    return adjusted
