"""Kinds of images: k-means clusters of features, and a split that leaves one kind out. No TensorFlow.

A model that is judged on kinds of images that it has not seen shows how it does elsewhere better than one judged on
other patients of the same kinds. Source of the idea: leave-one-cluster-out validation, Meredig et al. (2018), Mol.
Syst. Des. Eng. 3.
"""

import logging
from dataclasses import dataclass, replace

import numpy as np

from medxray.data.identical import patients_with_shared_files
from medxray.data.splits import assign_splits
from medxray.errors import DataError

log = logging.getLogger(__name__)
_STARTS = 10  # of k-means; the best counts
UNREADABLE = -1  # cluster of an image that cannot be read


@dataclass(frozen=True)
class HeldCluster:
    """A cluster that is left out of training.

    Attributes:
        label: name of the class.
        cluster: its number among those of the class, from 0.
        images: number of images in it.
        of: number of images of the class that can be read.
        tested: those of `images` that are in the test split; the others stay with the images for training.
        beside: images of the class, of other clusters, that are in the test split with their patients.
    """

    label: str
    cluster: int
    images: int
    of: int
    tested: int
    beside: int


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


def without_test(manifest):
    """The Manifest without the test split that the dataset has, with a warning: it belongs to another question."""
    given = (manifest.table["split"] == "test").to_numpy()
    if not given.any():
        return manifest
    log.warning(
        "%d images of the dataset's own test split are left out: --holdout clusters makes another.", given.sum()
    )
    return manifest.where(~given)


def hold_out_clusters(manifest, numbers, *, seed):
    """Make one cluster of each class the test split; the rest is train and val, carved as ever.

    A patient goes to the test split if at least half of their images that can be read lie in a cluster that is held
    out, so that no patient is in two splits. Patients who share a byte-identical file count as one.

    Args:
        manifest: Manifest without a test split, see `without_test`.
        numbers: int array (n,) of `clusters_of_classes`; UNREADABLE where an image cannot be read.
        seed: chooses the clusters, and carves val.

    Returns:
        (Manifest with splits, list of HeldCluster).

    Raises:
        DataError: a class has one cluster only, or nothing is left to train on.
    """
    labels, readable = manifest.table["label"].to_numpy(), numbers != UNREADABLE
    chosen = _choose(manifest, numbers, np.random.default_rng([seed, len(manifest)]))
    inside = readable & (numbers == np.array([chosen[label] for label in labels]))
    _, patient = np.unique(patients_with_shared_files(manifest), return_inverse=True)
    count, known = (np.bincount(patient, weights=rows) for rows in (inside, readable))
    tested = ((count > 0) & (count >= known / 2))[patient]
    split = np.where(tested, "test", np.where(manifest.table["split"] == "val", "val", "train"))
    held = []
    for name, cluster in chosen.items():
        own = labels == name
        counted = {"images": inside, "of": readable, "tested": inside & tested, "beside": readable & ~inside & tested}
        counts = {key: int((own & rows).sum()) for key, rows in counted.items()}
        held.append(HeldCluster(name, cluster, **counts))
    return assign_splits(replace(manifest, table=manifest.table.assign(split=split)), seed=seed), held


def _choose(manifest, numbers, rng):
    """One cluster of each class, at random: dict class -> number of the cluster."""
    labels, chosen = manifest.table["label"].to_numpy(), {}
    for name in manifest.classes:
        members = numbers[(labels == name) & (numbers != UNREADABLE)]
        sizes = np.bincount(members, minlength=1)
        if (sizes > 0).sum() < 2:
            raise DataError(
                f"The {len(members)} images of class {name} form one cluster; two are needed to hold one out. Add "
                "images, or train without --holdout."
            )
        chosen[name] = int(rng.choice(np.flatnonzero(sizes)))
    return chosen


def held_note(held, clusters):
    """What a report on such a test split says.

    Args:
        held: list of HeldCluster.
        clusters: how many each class has.
    """
    parts = ", ".join(f"{item.images} of {item.of} {item.label}" for item in held)
    tested, beside = (sum(getattr(item, name) for item in held) for name in ("tested", "beside"))
    left = sum(item.images for item in held) - tested
    others = f"; the rest ({beside}) are other images of the same patients" if beside else ""
    seen = (
        "Images of these kinds that stay with those for training, since less than half of the images of their patient "
        f"are of them: {left}"
        if left
        else "No image of these kinds stays with those for training"
    )
    return (
        f"Kinds of images are held out, one of {clusters} clusters of each class ({parts}): {tested} of the "
        f"{tested + beside} held-out images are of these kinds{others}. {seen}. The figures say how the model does on "
        "unseen kinds of images, not on other patients of the same kinds."
    )
