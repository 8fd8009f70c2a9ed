"""Patient-grouped, stratified, seeded splits. No TensorFlow."""

import logging
from collections import Counter
from dataclasses import replace

import numpy as np

from medxray.data.identical import patients_with_shared_files
from medxray.data.split_checks import check_split
from medxray.data.strata import pooled_strata, proportional_quotas
from medxray.errors import ConfigError, DataError
from medxray.moved import names_of_old_module
from medxray.system import storage

__getattr__ = names_of_old_module(__name__)
log = logging.getLogger(__name__)
SAMPLE_SIZE = 800  # about so many images of train are assessed unchanged


def assign_splits(manifest, *, seed=0, fraction=0.15, min_val=100):
    """Give every row a split: keep what the dataset has, carve what is missing from the training patients.

    A test split that exists is kept, and so is a val split of at least `min_val` images; a smaller val is folded
    into train. Rows without a split count as train. Each missing one of val and test takes `fraction` of the
    patients of train, or of all patients where both are missing: never part of a patient, and patients who share a
    byte-identical file go together. Labels and subtypes have
    their share each; subtypes of a label that are too small for one (fewer than 1 / `fraction` patients) together.

    Args:
        manifest: Manifest.
        seed: int; equal seeds give equal splits.
        fraction: share of the patients for each carved split, 0-0.5.
        min_val: smallest number of images of a val split that is kept.

    Returns:
        Manifest whose `split` is train, val or test in every row.

    Raises:
        ConfigError: `fraction` is not between 0 and 0.5.
        DataError: nothing is left to train on.
    """
    if not 0 < fraction < 0.5:
        raise ConfigError(f"The share of a split must be between 0 and 0.5. Received {fraction}.")
    split = np.array(manifest.table["split"].replace("", "train"), dtype=object)  # a copy: the manifest stays as it is
    in_val = int((split == "val").sum())
    if 0 < in_val < min_val:
        log.warning("val has %d images, fewer than %d: folded into train, and val is carved anew", in_val, min_val)
        split[split == "val"] = "train"
    missing = [name for name in ("test", "val") if not (split == name).any()]
    if missing:
        patients = patients_with_shared_files(manifest)
        order = shuffled_patients(manifest, patients, split == "train", seed=seed, smallest=1 / fraction)
        _carve(split, patients, order, missing=missing, fraction=fraction)
    if not (split == "train").any():
        counts = ", ".join(f"{(split == name).sum()} in {name}" for name in ("val", "test"))
        raise DataError(
            f"No images are left to train on: {counts}, none in train. Add training images: a folder train, rows of "
            "--split-col that say train, or train_images of a MedMNIST file."
        )
    result = replace(manifest, table=manifest.table.assign(split=split.astype(str)))
    check_split(result)
    return result


def shuffled_patients(manifest, patients, mask, *, seed, smallest):
    """Patients of the masked rows by stratum, each list in seeded random order.

    A patient's stratum is their rarest label and subtype; subtypes of fewer than `smallest` patients are one stratum.
    """
    rows = manifest.table[mask]
    patients, labels = patients[mask], rows["label"].to_numpy()
    kinds = (rows["label"] + "/" + rows["subtype"]).to_numpy()
    frequency = Counter(kinds)
    stratum = {}
    for patient, kind in zip(patients, kinds, strict=True):
        best = stratum.setdefault(patient, kind)
        if (frequency[kind], kind) < (frequency[best], best):
            stratum[patient] = kind
    pool = pooled_strata(Counter(stratum.values()), dict(zip(kinds, labels, strict=True)), smallest)
    stratum = {patient: pool.get(kind, kind) for patient, kind in stratum.items()}
    groups = {}
    for patient in sorted(stratum):
        groups.setdefault(stratum[patient], []).append(patient)
    generator = np.random.default_rng([seed, len(stratum)])
    return {kind: [groups[kind][i] for i in generator.permutation(len(groups[kind]))] for kind in sorted(groups)}


def _carve(split, patients, strata, *, missing, fraction):
    """Move `fraction` of each stratum's patients to each missing split, in place; train keeps one if there are two."""
    total = sum(len(members) for members in strata.values())
    for position, name in enumerate(missing):
        goal = _shares([len(members) for members in strata.values()], fraction)
        moved = set()
        for members, count in zip(strata.values(), goal, strict=True):
            start = position * count
            count = min(count, max(len(members) - start - 1, 0))
            moved.update(members[start : start + count])
        split[np.isin(patients, sorted(moved)) & (split == "train")] = name
        log.info("%s: carved %d of %d patients from train", name, len(moved), total)


def _shares(sizes, fraction):
    """Whole numbers near `fraction` of each size; a stratum of at least three gives at least one."""
    return [max(int(round(size * fraction)), 1 if size >= 3 else 0) for size in sizes]


def limit_manifest(manifest, n, *, seed):
    """A stratified subset for trials.

    Patients are taken whole in seeded order from each split, label and subtype until its share of `n` is reached
    (subtypes whose share is below one image count together); the last patient of a share may lose images, so that the
    size is exact.

    Args:
        manifest: Manifest.
        n: number of images wanted; with `n` at or above the size the manifest is returned as it is.
        seed: int.

    Returns:
        Manifest of exactly min(n, len) rows, in the order of the original.

    Raises:
        ConfigError: `n` is below 1.
    """
    if n < 1:
        raise ConfigError(f"--limit must be at least 1. Received {n}.")
    if n >= len(manifest):
        return manifest
    groups = (manifest.table["split"] + "/" + manifest.table["label"]).to_numpy()
    kinds = groups + "/" + manifest.table["subtype"].to_numpy()
    pool = pooled_strata(Counter(kinds), dict(zip(kinds, groups, strict=True)), len(manifest) / n)
    kinds = np.array([pool.get(kind, kind) for kind in kinds])
    names, counts = np.unique(kinds, return_counts=True)
    patients, keep = manifest.patients(), np.zeros(len(manifest), bool)
    generator = np.random.default_rng([seed, n])
    order = {patient: rank for rank, patient in enumerate(generator.permutation(np.unique(patients)))}
    for name, count in zip(names, proportional_quotas(counts, n), strict=True):
        rows = np.flatnonzero(kinds == name)
        ranked = sorted(rows, key=lambda row: (order[patients[row]], row))
        keep[ranked[:count]] = True
    return manifest.where(keep)


def training_sample(manifest, seed):
    """Rows of whole training patients, about SAMPLE_SIZE images, int array in ascending order.

    Patients are taken in the order of a hash of their name, so that one more patient changes the sample by that one.

    Args:
        manifest: Manifest.
        seed: of the hash.
    """
    rows = np.flatnonzero((manifest.table["split"] == "train").to_numpy())
    if not len(rows):
        return rows
    names, patient = np.unique(manifest.patients()[rows], return_inverse=True)
    order = np.argsort([storage.text_sha256(str(seed), name) for name in names])
    place = np.argsort(order)[patient]
    taken = np.searchsorted(np.cumsum(np.bincount(place)), SAMPLE_SIZE) + 1
    return rows[place < taken]
