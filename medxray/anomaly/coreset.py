"""Greedy k-center coreset: few vectors that lie close to all of many. No TensorFlow."""

import numpy as np

from medxray.system import progress

PROJECTED = 128  # numbers per vector after the random projection


def greedy_coreset(vectors, size, *, seed=0):
    """Choose vectors one by one, each the farthest from all chosen before.

    Source: algorithm 1 of Roth et al. (2021), arXiv:2106.08265: the greedy k-center method of Sener and Savarese
    (2018), arXiv:1708.00489, on a random projection after Johnson and Lindenstrauss (1984). The projection is Gaussian
    with variance 1 / 128, to 128 numbers; shorter vectors are not projected. The first vector is drawn by `seed`;
    among equally far ones the first is taken.

    Args:
        vectors: float array (n,d).
        size: number of vectors to choose, 1 to n.
        seed: of the projection and the first vector.

    Returns:
        int64 array (size,), rows in the order chosen, different from each other. Time grows as n * size.
    """
    rng = np.random.default_rng(seed)
    points = _project(vectors, rng)
    squares = np.einsum("nd,nd->n", points, points)
    nearest = np.full(len(points), np.inf, np.float32)  # squared distance to the nearest chosen vector
    chosen = np.empty(size, np.int64)
    row = int(rng.integers(len(points)))
    with progress.track(size, "Coreset") as bar:
        for index in range(size):
            chosen[index] = row
            np.minimum(nearest, squares + squares[row] - 2 * (points @ points[row]), out=nearest)
            nearest[row] = -np.inf  # and stays so: never chosen again
            row = int(np.argmax(nearest))
            bar.advance(1)
    return chosen


def _project(vectors, rng):
    """Centred and, if they are longer than PROJECTED, projected vectors; float32."""
    vectors = np.asarray(vectors, np.float32)
    if vectors.shape[1] > PROJECTED:
        matrix = rng.standard_normal((vectors.shape[1], PROJECTED)) / np.sqrt(PROJECTED)
        vectors = vectors @ matrix.astype(np.float32)
    return vectors - vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
