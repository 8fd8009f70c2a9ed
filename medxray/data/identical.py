"""Files of a dataset with the same bytes. No TensorFlow."""

import numpy as np

from medxray.data.images.access import content_size
from medxray.errors import ImageError


def identical_files(manifest):
    """Groups of byte-identical files; only files of equal size are read.

    Args:
        manifest: Manifest.

    Returns:
        list of int arrays, rows of the manifest, each of two or more; a file that is gone is in none.

    Raises:
        DataError: a file cannot be read.
    """
    sizes = np.array([_size(file) for file in manifest.files()], np.int64)
    values, counts = np.unique(sizes[sizes >= 0], return_counts=True)
    rows = np.flatnonzero(np.isin(sizes, values[counts > 1]))
    groups = {}
    for row, digest in zip(rows, manifest.where(np.isin(np.arange(len(sizes)), rows)).content_digests(), strict=True):
        groups.setdefault(digest, []).append(row)
    return [np.array(group) for group in groups.values() if len(group) > 1]


def patients_with_shared_files(manifest):
    """Patient of each image, where patients who share a file count as one.

    Args:
        manifest: Manifest of n images.

    Returns:
        str array (n,): `manifest.patients()`, but of patients linked by byte-identical files the first name stands for
        all of them.
    """
    patients = manifest.patients()
    first = {}

    def head(name):
        while first.get(name, name) != name:
            name = first[name]
        return name

    for rows in identical_files(manifest):
        heads = sorted({head(name) for name in patients[rows]})
        first.update(dict.fromkeys(heads, heads[0]))
    return np.array([head(name) for name in patients], dtype=str) if first else patients


def _size(file):
    """Size of the content of a file in bytes, int; -1 where it cannot be read."""
    try:
        return content_size(file)
    except (OSError, ImageError):  # whoever reads the file says what is wrong with it
        return -1
