"""PatchCore as Keras layers: patch features -> distance to a memory bank at each position, and the image's score."""

import numpy as np
from keras import layers, ops

from medxray.anomaly.score import MAP

BANK, BANK_MEAN = "patchcore_bank", "patchcore_mean"
_PRODUCTS = 4e8  # bytes
_FROZEN = {"dtype": "float32", "trainable": False}


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
