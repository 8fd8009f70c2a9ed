"""Sizes of strata: which small ones go together, and how many members each one gives. No TensorFlow."""

from collections import Counter

import numpy as np


def pooled_strata(sizes, groups, smallest):
    """Where the members of small strata go, so that these get their share together if not each for itself.

    Args:
        sizes: dict stratum -> members.
        groups: dict stratum -> what strata must have in common to be put together.
        smallest: number of members from which a stratum stays as it is; so does one that is the only small one.

    Returns:
        dict small stratum -> the stratum it becomes part of.
    """
    small = [stratum for stratum, size in sizes.items() if size < smallest]
    several = Counter(groups[stratum] for stratum in small)
    return {stratum: f"{groups[stratum]}/" for stratum in small if several[groups[stratum]] > 1}


def proportional_quotas(counts, total, *, least=0):
    """Whole shares of `total` in proportion to the sizes of strata, by the method of largest remainders.

    Args:
        counts: int array (n,), members of each stratum, each at least 1.
        total: sum of the shares, at most the sum of the counts.
        least: smallest share, 0 or 1; where there are more strata than `total` only the largest ones have it.

    Returns:
        int64 array (n,), each at most its count.
    """
    exact = counts * (total / counts.sum())
    quotas = np.maximum(np.floor(exact).astype(np.int64), least)
    kept = least if least * len(counts) <= total else 0
    while quotas.sum() > total:
        quotas[np.argmax(np.where(quotas > kept, quotas - exact, -np.inf))] -= 1
    while quotas.sum() < total:
        quotas[np.argmax(np.where(quotas < counts, exact - quotas, -np.inf))] += 1
    return quotas
