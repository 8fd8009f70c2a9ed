"""How classes lie in feature space: nearest neighbours, purity of neighbourhoods, silhouette. No TensorFlow."""

import numpy as np
from sklearn.metrics import silhouette_samples
from sklearn.neighbors import NearestNeighbors

from medxray.errors import ConfigError, DataError
from medxray.metrics.bootstrap import N_BOOT, bootstrap, percentile_interval, resampling_obstacle
from medxray.metrics.intervals import estimate

METRICS = ("euclidean", "cosine", "manhattan")
DEFAULT_METRIC, DEFAULT_NEIGHBORS = "cosine", 10


def check_metric(metric):
    """Raise ConfigError unless `metric` is one of `METRICS`."""
    if metric not in METRICS:
        raise ConfigError(f"--metric must be one of {', '.join(METRICS)}. Received '{metric}'.")


def nearest(vectors, reference, *, k, metric=DEFAULT_METRIC):
    """The k nearest reference vectors of each vector, by exact search.

    Args:
        vectors: float array (n, d).
        reference: float array (m, d), m >= 1.
        k: number of neighbours, >= 1; with fewer reference vectors all of them.
        metric: one of `METRICS`; the cosine distance is 1 - cosine, 0-2.

    Returns:
        distances float64 (n, k) in ascending order and int64 (n, k), rows of the reference.

    Raises:
        ConfigError: unknown metric, or k below 1.
        DataError: the vectors have another length than those of the reference.
    """
    check_metric(metric)
    if k < 1:
        raise ConfigError(f"The number of neighbours must be at least 1. Received {k}.")
    if np.shape(vectors)[1] != np.shape(reference)[1]:
        raise DataError(
            f"Vectors must have {np.shape(reference)[1]} numbers as those they are compared with. "
            f"Received {np.shape(vectors)[1]}. Extract both with the same model."
        )
    k = min(k, len(reference))
    if not len(vectors):
        return np.zeros((0, k)), np.zeros((0, k), np.int64)
    search = NearestNeighbors(algorithm="brute", metric=metric).fit(np.asarray(reference, np.float64))
    distances, rows = search.kneighbors(np.asarray(vectors, np.float64), n_neighbors=k)
    return distances, rows.astype(np.int64)


def nearest_of_others(vectors, patients, *, k, metric=DEFAULT_METRIC):
    """The k nearest vectors of other patients for each vector.

    Args:
        vectors: float array (n, d).
        patients: str array (n,); images of the same patient, the image itself among them, are no neighbours.
        k: number of neighbours.
        metric: one of `METRICS`.

    Returns:
        int64 array (n, k) of rows, nearest first; -1 where there are fewer than k images of other patients.
    """
    _, own, counts = np.unique(patients, return_inverse=True, return_counts=True)
    _, rows = nearest(vectors, vectors, k=k + int(counts.max()), metric=metric)  # so many can be the patient's own
    foreign = own[rows] != own[:, None]
    order = np.argsort(~foreign, axis=1, kind="stable")[:, :k]
    found = np.where(np.take_along_axis(foreign, order, axis=1), np.take_along_axis(rows, order, axis=1), -1)
    return np.pad(found, ((0, 0), (0, k - found.shape[1])), constant_values=-1)


def purity(y_true, neighbors):
    """Share of each image's neighbours that have its label.

    Args:
        y_true: int array (n,).
        neighbors: int array (n, k) of rows, -1 = none, as from `nearest_of_others`.

    Returns:
        float64 array (n,), 0-1; nan for an image without neighbours.
    """
    y_true, present = np.asarray(y_true), neighbors >= 0
    same = (y_true[neighbors] == y_true[:, None]) & present
    count = present.sum(axis=1)
    return np.divide(same.sum(axis=1), count, out=np.full(len(y_true), np.nan), where=count > 0)


def silhouette(vectors, y_true, *, metric=DEFAULT_METRIC):
    """Silhouette of each image with the true classes as clusters, float64 array (n,), -1 to 1; nan with one class.

    Source: Rousseeuw (1987), s(i) = (b - a) / max(a, b); deviations: none. A patient's other images are not left out.
    """
    labels = len(np.unique(y_true))
    if not 2 <= labels < len(y_true):
        return np.full(len(y_true), np.nan)
    return silhouette_samples(np.asarray(vectors, np.float64), y_true, metric=metric)


def structure_report(embeddings, *, k=DEFAULT_NEIGHBORS, metric=DEFAULT_METRIC, n_boot=N_BOOT, seed=0):
    """Neighbourhood purity and silhouette in the original space, with intervals by patient.

    Neighbours and distances are those among the given images. The intervals resample patients and keep every image's
    own value, so they tell how sure the mean over images is, not what another set of neighbours would give.

    Args:
        embeddings: Embeddings.
        k: neighbours that count for the purity.
        metric: one of `METRICS`.
        n_boot: bootstrap resamples.
        seed: of the bootstrap.

    Returns:
        dict: `k`, `metric`, `chance_purity` (the purity that labels without any relation to the vectors would have),
        `groups` (list of dict: name, n, n_patients, purity, silhouette; the latter two as value and ci95) for all
        images, each class and each split, and `notes`.
    """
    y_true, patients = embeddings.y_true, embeddings.patients
    values = {
        "purity": purity(y_true, nearest_of_others(embeddings.vectors, patients, k=k, metric=metric)),
        "silhouette": silhouette(embeddings.vectors, y_true, metric=metric),
    }
    groups = _groups(embeddings)
    obstacle = resampling_obstacle(patients, y_true)
    samples = {}
    if obstacle is None and n_boot:
        samples = bootstrap(lambda weights: _means(values, groups, weights), patients, y_true, n_boot=n_boot, seed=seed)
    point = _means(values, groups, np.ones((1, len(embeddings))))
    rows = [
        {"name": name, "n": int(mask.sum()), "n_patients": len(np.unique(patients[mask]))}
        | {figure: _estimate(point[figure, name], samples.get((figure, name))) for figure in values}
        for name, mask in groups.items()
    ]
    shares = np.bincount(y_true, minlength=len(embeddings.classes)) / len(embeddings)
    notes = [] if obstacle is None else [f"No intervals: {obstacle}."]
    if np.isnan(values["silhouette"]).all():
        notes.append("No silhouette: it needs two classes, and more images than classes.")
    return {"k": k, "metric": metric, "chance_purity": float((shares**2).sum()), "groups": rows, "notes": notes}


def _estimate(point, samples):
    return estimate(float(point[0]), None if samples is None else percentile_interval(samples))


def _groups(embeddings):
    groups = {"all": np.ones(len(embeddings), bool)}
    groups |= {f"class {name}": embeddings.labels == name for name in embeddings.classes}
    present = [name for name in ("train", "val", "test") if (embeddings.splits == name).any()]
    groups |= {f"split {name}": embeddings.splits == name for name in present}
    return {name: mask for name, mask in groups.items() if mask.any()}


def _means(values, groups, weights):
    """Weighted mean of each figure in each group, dict (figure, group) -> float64 array (B,), nan where undefined."""
    result = {}
    for figure, value in values.items():
        for name, mask in groups.items():
            known = mask & np.isfinite(value)
            total = weights[:, known].sum(axis=1)
            mean = weights[:, known] @ value[known]
            result[figure, name] = np.divide(mean, total, out=np.full(len(weights), np.nan), where=total > 0)
    return result
