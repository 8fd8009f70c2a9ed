"""Feature vectors on a plane: PCA and t-SNE; and the choice of images to show. No TensorFlow."""

import logging
from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from medxray.data.strata import proportional_quotas
from medxray.errors import ConfigError, DataError

log = logging.getLogger(__name__)
METHODS = ("tsne", "pca")
MINIMUM_IMAGES = 5
_PERPLEXITY, _COMPONENTS = 30.0, 50


@dataclass(frozen=True, eq=False)
class Projection:
    """Images on a plane.

    Attributes:
        points: float64 array (n, 2).
        method: one of `METHODS`.
        axes: names of the two directions.
        settings: dict of what the method was run with.
    """

    points: np.ndarray
    method: str
    axes: tuple[str, str]
    settings: dict


def project(vectors, method, *, seed=0):
    """Lay vectors out on a plane.

    Args:
        vectors: float array (n, d).
        method: "pca" or "tsne".
        seed: of t-SNE; PCA has no chance in it.

    Returns:
        Projection.

    Raises:
        ConfigError: unknown method.
        DataError: fewer than `MINIMUM_IMAGES` images, or all vectors are equal.

    Source: PCA: Pearson (1901). t-SNE: van der Maaten and Hinton (2008), sec. 3, in the Barnes-Hut form of van der
    Maaten (2014); deviations: the first 50 principal components (30 in the paper) go in, and the first two are the
    start (Kobak and Berens 2019) where the paper starts at random, so that equal input gives equal pictures.
    """
    if method not in METHODS:
        raise ConfigError(f"--method must be one of {', '.join(METHODS)}. Received '{method}'.")
    vectors = np.asarray(vectors, np.float64)
    if len(vectors) < MINIMUM_IMAGES:
        raise DataError(f"A map needs at least {MINIMUM_IMAGES} images. Received {len(vectors)}. Choose other splits.")
    if (vectors == vectors[0]).all():
        raise DataError(f"All {len(vectors)} vectors are equal: there is nothing to map. The model may be untrained.")
    return _pca(vectors) if method == "pca" else _tsne(vectors, seed)


def _pca(vectors):
    pca = PCA(n_components=min(2, *vectors.shape), svd_solver="full")
    points = pca.fit_transform(vectors)
    shares = np.pad(pca.explained_variance_ratio_, (0, 2 - points.shape[1]))
    points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    axes = tuple(f"component {number} ({share:.1%} of the variance)" for number, share in enumerate(shares, 1))
    return Projection(points, "pca", axes, {"explained_variance": shares.tolist()})


def _tsne(vectors, seed):
    log.info("Laying out %d images by t-SNE, which does not tell how far it is.", len(vectors))
    components = min(_COMPONENTS, *vectors.shape)
    perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
    reduced = PCA(n_components=components, svd_solver="full").fit_transform(vectors)
    start = np.pad(reduced[:, :2], ((0, 0), (0, 2 - reduced[:, :2].shape[1])))
    start = (start / start[:, 0].std() * 1e-4).astype(np.float32)
    with threadpool_limits(1):  # sums of several threads differ from call to call, and the picture with them
        points = TSNE(perplexity=perplexity, init=start, random_state=seed).fit_transform(reduced)
    settings = {"components": components, "perplexity": perplexity, "seed": seed, "start": "pca"}
    return Projection(points.astype(np.float64), "tsne", ("t-SNE 1", "t-SNE 2"), settings)


def stratified_rows(strata, limit, *, seed=0):
    """Choose at most `limit` rows in the proportions of their strata.

    Each stratum gets its share rounded down, at least one, and what is left goes to the largest remainders; with more
    strata than `limit` the largest strata are served.

    Args:
        strata: array (n,), the stratum of each row.
        limit: most rows, >= 1.
        seed: of the choice within strata.

    Returns:
        int64 array of rows, ascending; all of them when there are no more than `limit`.
    """
    strata = np.asarray(strata)
    if len(strata) <= limit:
        return np.arange(len(strata))
    names, member, counts = np.unique(strata, return_inverse=True, return_counts=True)
    quotas = proportional_quotas(counts, limit, least=1)
    order = np.random.default_rng(seed).permutation(len(strata))
    chosen = [order[member[order] == index][: quotas[index]] for index in range(len(names))]
    return np.sort(np.concatenate(chosen)).astype(np.int64)
