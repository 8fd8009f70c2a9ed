"""Kinds of images: k-means clusters of features, and a split that leaves one kind out. No TensorFlow.

A model that is judged on kinds of images that it has not seen shows how it does elsewhere better than one judged on
other patients of the same kinds. Source of the idea: leave-one-cluster-out validation, Meredig et al. (2018), Mol.
Syst. Des. Eng. 3.
"""

import logging
from dataclasses import dataclass, replace

import numpy as np

from medxray.data.splits import assign_splits
from medxray.errors import DataError

log = logging.getLogger(__name__)
_STARTS = 10  # of k-means; the best counts


@dataclass(frozen=True)
class HeldCluster:
    """A cluster that is left out of training.

    Attributes:
        label: name of the class.
        cluster: its number among those of the class, from 0.
        images: number of images in it.
        of: number of images of the class.
    """

    label: str
    cluster: int
    images: int
    of: int


def cluster_images(features, *, clusters, seed):
    """k-means clusters of images.

    Args:
        features: float array (n,c), finite.
        clusters: how many; at most the number of different rows are found.
        seed: of the first centres.

    Returns:
        int64 array (n,), numbers from 0, the largest cluster first. Source: Lloyd (1982), Least squares quantization;
        Arthur and Vassilvitskii (2007), k-means++.
    """
    from sklearn.cluster import KMeans

    count = min(clusters, len(np.unique(features, axis=0)))
    found = KMeans(count, n_init=_STARTS, random_state=seed).fit_predict(np.asarray(features, np.float64))
    order = np.argsort(-np.bincount(found, minlength=count), kind="stable")
    return np.argsort(order)[found]


def clusters_of_classes(features, labels, *, clusters, seed):
    """`cluster_images` within each class: int64 array (n,); `labels` is an int array (n,)."""
    numbers = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        rows = labels == label
        numbers[rows] = cluster_images(features[rows], clusters=clusters, seed=seed)
    return numbers


def hold_out_clusters(manifest, numbers, *, seed):
    """Make one cluster of each class the test split; the rest is train and val, carved as ever.

    A patient goes to the test split if at least half of their images lie in a cluster that is held out, so that no
    patient is in two splits. A test split that the dataset has is left out: it belongs to another question.

    Args:
        manifest: Manifest.
        numbers: int array (n,) of `clusters_of_classes`.
        seed: chooses the clusters, and carves val.

    Returns:
        (Manifest with splits, list of HeldCluster).

    Raises:
        DataError: a class has one cluster only, or nothing is left to train on.
    """
    given = (manifest.table["split"] == "test").to_numpy()
    if given.any():
        log.warning(
            "%d images of the dataset's own test split are left out: --holdout clusters makes another.", given.sum()
        )
        manifest, numbers = manifest.where(~given), numbers[~given]
    held = _choose(manifest, numbers, np.random.default_rng([seed, len(manifest)]))
    inside = np.zeros(len(manifest), bool)
    for cluster in held:
        inside |= (manifest.table["label"] == cluster.label).to_numpy() & (numbers == cluster.cluster)
    _, patient = np.unique(manifest.patients(), return_inverse=True)
    mostly = np.bincount(patient, weights=inside) >= np.bincount(patient) / 2
    split = np.where(mostly[patient], "test", np.where(manifest.table["split"] == "val", "val", "train"))
    return assign_splits(replace(manifest, table=manifest.table.assign(split=split)), seed=seed), held


def _choose(manifest, numbers, rng):
    """One cluster of each class, at random."""
    labels, held = manifest.table["label"].to_numpy(), []
    for name in manifest.classes:
        members = numbers[labels == name]
        sizes = np.bincount(members, minlength=1)
        if (sizes > 0).sum() < 2:
            raise DataError(
                f"The {len(members)} images of class {name} form one cluster; two are needed to hold one out. Add "
                "images, or train without --holdout."
            )
        chosen = int(rng.choice(np.flatnonzero(sizes)))
        held.append(HeldCluster(name, chosen, int(sizes[chosen]), len(members)))
    return held


def held_note(held, clusters):
    """What a report on such a test split says.

    Args:
        held: list of HeldCluster.
        clusters: how many each class has.
    """
    parts = ", ".join(f"{item.images} of {item.of} {item.label}" for item in held)
    return (
        f"These images are of kinds that training did not see: one of {clusters} clusters of each class was held out "
        f"({parts}). The figures say how the model does on unseen kinds of images, not on other patients of the same "
        "kinds."
    )
