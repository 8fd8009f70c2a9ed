"""PatchCore: the memory bank of normal patches. numpy and scikit-learn, no TensorFlow."""

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from medxray.anomaly.coreset import greedy_coreset
from medxray.errors import ConfigError, DataError

SHARE = 0.01
CANDIDATES = 200_000  # patches the coreset is chosen from at most
NEIGHBORS = 9


@dataclass(frozen=True, eq=False)
class PatchcoreFit:
    """What `anomaly.patchcore_graph.patchcore_map` needs.

    Attributes:
        bank: float32 array (m,d).
        neighbors: int64 array (m,b), rows of the bank nearest to each of its vectors, itself first.
    """

    bank: np.ndarray
    neighbors: np.ndarray


def fit_patchcore(patches, *, share=SHARE, seed=0):
    """Choose the memory bank by a greedy coreset and find neighbours within it.

    Source: Roth et al. (2021), arXiv:2106.08265, section 3.2, by default with a share of 1 % (their PatchCore-1%).
    Deviation: beyond CANDIDATES patches the coreset is chosen from that many, drawn at random without repetition, so
    that memory and time stay bounded; the share still counts all patches. Equation 7 gets b = 9 neighbours, each vector
    itself among them, as is usual in implementations.

    Args:
        patches: patches.Patches of normal images.
        share: size of the bank as a share of all patches, above 0 and at most 1; at least one patch and at most
            CANDIDATES.
        seed: of the candidates and the coreset.

    Returns:
        PatchcoreFit. Memory: the candidates (4 bytes * d each; 615 MB for 200,000 of 768 numbers) and their projection.

    Raises:
        ConfigError: `share` is not above 0 and at most 1.
        DataError: no images, or features that are not finite.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"--coreset must be a share above 0 and at most 1. Received {share}.")
    if not patches.images:
        raise DataError("PatchCore needs normal images. Received none. Add images.")
    candidates = _candidates(patches, seed)
    if not np.isfinite(candidates).all():
        raise DataError("The features of the normal images are not finite. Use other weights.")
    size = round(share * patches.images * patches.positions)
    bank = candidates[greedy_coreset(candidates, min(max(size, 1), len(candidates)), seed=seed)]
    return PatchcoreFit(bank, _neighbors(bank))


def _candidates(patches, seed):
    """At most CANDIDATES patches of all images, float32 (c,d), in the order of images and positions."""
    total = patches.images * patches.positions
    count = min(total, CANDIDATES)
    rows = np.sort(np.random.default_rng(seed).choice(total, count, replace=False))
    found = np.empty((count, patches.dimensions), np.float32)
    start = filled = 0
    for batch in patches.vectors():
        vectors = batch.reshape(-1, patches.dimensions)
        taken = rows[filled : np.searchsorted(rows, start + len(vectors))] - start
        found[filled : filled + len(taken)] = vectors[taken]
        start, filled = start + len(vectors), filled + len(taken)
    return found


def _neighbors(bank):
    """Rows of the nearest vectors of each vector of the bank, itself first even beside equal ones; int64 (m,b)."""
    itself, others = np.arange(len(bank))[:, None], min(NEIGHBORS, len(bank)) - 1
    if not others:
        return itself
    rows = NearestNeighbors(n_neighbors=others, algorithm="brute").fit(bank).kneighbors(return_distance=False)
    return np.concatenate([itself, rows], axis=1)


def reference_distances(patches, bank):
    """Distance of each patch to the bank by scikit-learn, an independent way to what the Keras layers compute.

    Args:
        patches: float array (n,h,w,d).
        bank: float array (m,d).

    Returns:
        float64 array (n,h,w).
    """
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(np.asarray(bank, np.float64))
    vectors = np.asarray(patches, np.float64).reshape(-1, patches.shape[-1])
    return search.kneighbors(vectors)[0].reshape(patches.shape[:-1])
