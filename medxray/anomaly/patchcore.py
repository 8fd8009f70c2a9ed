"""PatchCore: the memory bank of normal patches, and the distance to it as Keras layers."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers, ops
from sklearn.neighbors import NearestNeighbors

from medxray.anomaly.choices import SHARE
from medxray.anomaly.coreset import greedy_coreset
from medxray.anomaly.patch_features import PATCHES
from medxray.anomaly.score import MAP
from medxray.errors import ConfigError, DataError

CANDIDATES = 200_000  # patches the coreset is chosen from at most
NEIGHBORS = 9
BANK, BANK_MEAN = "patchcore_bank", "patchcore_mean"
_PRODUCTS = 4e8  # bytes
_FROZEN = {"dtype": "float32", "trainable": False}


@dataclass(frozen=True, eq=False)
class PatchcoreFit:
    """What `patchcore_map` needs.

    Attributes:
        bank: float32 array (m,d).
        neighbors: int64 array (m,b), rows of the bank nearest to each of its vectors, itself first.
    """

    bank: np.ndarray
    neighbors: np.ndarray

    def graph(self, patches):
        """The layers behind patches (N,h,w,d): map (N,h,w) and the weighted largest distance (N,1), keras tensors."""
        return patchcore_map(patches, bank=self.bank, neighbors=self.neighbors)


def fit_patchcore(patches, *, share=SHARE, seed=0):
    """Choose the memory bank by a greedy coreset and find neighbours within it.

    Source: Roth et al. (2021), arXiv:2106.08265, section 3.2; a share of 0.01 is their PatchCore-1%.
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


def patchcore_map(patches, *, bank, neighbors):
    """Distance of each patch to the nearest vector of the bank, and the score of the image.

    With x* the patch that is farthest from the bank, m* its nearest vector there and s* their distance, the score is
    s = (1 - exp|x* - m*| / sum over m in N_b(m*) of exp|x* - m|) s*: equations 6 and 7 of Roth et al. (2021), Towards
    total recall in industrial anomaly detection, arXiv:2106.08265. N_b(m*), the b vectors of the bank nearest to m*,
    counts m* itself. The exponentials are taken relative to the largest, which changes nothing but avoids overflow.
    With a bank of one vector, or N_b of one, nothing can be weighed and the score is s*.

    Distances come from |x - m|^2 = |x|^2 - 2 x.m + |m|^2 after the bank's mean was subtracted from both; rounding
    leaves up to a few 1e-3 |x| where x and m are equal. For a batch of 16 images with 784 patches and 8,000 vectors the
    products x.m take 400 MB; see `images_at_once`.

    Args:
        patches: keras tensor (N,h,w,d).
        bank: float array (m,d), m >= 1.
        neighbors: int array (m,b), rows of the bank nearest to each of its vectors, itself first.

    Returns:
        float32 keras tensors (N,h,w) and (N,1), at least 0, in the unit of the features.
    """
    _, height, width, dimensions = patches.shape
    mean = np.mean(bank, axis=0, dtype=np.float64)
    centred = np.asarray(bank, np.float64) - mean
    centre = layers.BatchNormalization(center=False, scale=False, epsilon=0.0, name=BANK_MEAN, **_FROZEN)
    compare = layers.Dense(len(centred), name=BANK, **_FROZEN)

    vectors = layers.Reshape((height * width, dimensions), name="patchcore_vectors")(centre(patches))
    products = compare(vectors)  # x.m - |m|^2 / 2, largest for the nearest vector of the bank
    distances = _distance(vectors, ops.max(products, axis=-1, keepdims=True))  # (N,p,1)
    centre.set_weights([mean, np.ones(dimensions)])
    compare.set_weights([centred.T, -0.5 * np.sum(centred**2, axis=1)])

    score = ops.max(distances, axis=1)
    if np.shape(neighbors)[1] > 1:
        farthest = ops.argmax(distances, axis=1, keepdims=True)
        vector = ops.take_along_axis(vectors, farthest, axis=1)[:, :1]  # (N,1,d), which Keras 3.8 does not know
        score = _weighed(score, vector, compare(vector), np.asarray(neighbors))
    grid = layers.Reshape((height, width), dtype="float32", name=MAP)(distances)
    return grid, layers.Reshape((1,), dtype="float32", name="patchcore_score")(score)


def _weighed(score, vector, products, neighbors):
    """Equation 7 for the farthest vector (N,1,d) with its products (N,1,m) and distance (N,1)."""
    look_up = layers.Embedding(*neighbors.shape, name="patchcore_neighbors", **_FROZEN)
    around = ops.cast(look_up(ops.argmax(products, axis=-1)), "int32")  # (N,1,b)
    look_up.set_weights([neighbors])
    others = _distance(vector, ops.take_along_axis(products, around, axis=-1))
    return score * (1.0 - ops.exp(score - ops.logsumexp(others, axis=(-1,))))


def images_at_once(model, most):
    """How many images a model may take at a time for the products x.m to stay below 400 MB.

    Args:
        model: keras.Model; without a memory bank the answer is `most`.
        most: upper limit.

    Returns:
        int, 1 to `most`.
    """
    if BANK not in {layer.name for layer in model.layers}:
        return most
    positions = int(np.prod(model.get_layer(MAP).output.shape[1:]))
    return int(np.clip(_PRODUCTS // (4 * positions * model.get_layer(BANK).units), 1, most))


def _distance(vectors, products):
    """Distances (N,p,k) of vectors (N,p,d) to those of the bank that gave the products (N,p,k)."""
    squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return ops.sqrt(ops.maximum(squares - 2.0 * products, 0.0))


def reference_maps(model, images):
    """The maps of a detector computed by scikit-learn, an independent way to what its layers compute.

    Args:
        model: keras.Model of a PatchCore detector.
        images: float32 tensor (n,H,W,C), 0-255.

    Returns:
        float64 array (n,h,w).
    """
    patches = keras.Model(model.input, model.get_layer(PATCHES).output)(images, training=False)
    centre, bank = model.get_layer(BANK_MEAN).get_weights()[0], model.get_layer(BANK).get_weights()[0].T
    return reference_distances(patches.numpy() - centre, bank)


def reference_distances(patches, bank):
    """Distance of each patch to the bank by scikit-learn.

    Args:
        patches: float array (n,h,w,d).
        bank: float array (m,d).

    Returns:
        float64 array (n,h,w).
    """
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(np.asarray(bank, np.float64))
    vectors = np.asarray(patches, np.float64).reshape(-1, patches.shape[-1])
    return search.kneighbors(vectors)[0].reshape(patches.shape[:-1])
