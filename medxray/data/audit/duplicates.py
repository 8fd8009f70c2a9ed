"""The same picture twice: byte for byte, or nearly. No TensorFlow."""

from dataclasses import dataclass

import cv2
import numpy as np

from medxray.system import progress

HASH_SIDE = 16
NEAR_BITS = 10  # of 256; in the Kermany set re-encoding changes at most 10 bits, and no two other pictures less than 13
NEAR_LIMIT = 30_000  # images above which all pairs are too many
_EXAMPLES = 5


@dataclass(frozen=True)
class Repeats:
    """How often pictures repeat.

    Attributes:
        groups: groups of files that belong together.
        files: files in these groups.
        within_split: groups that lie in one split.
        across_splits: groups that reach over two splits or more.
        across_labels: groups with two labels or more.
        across_patients: groups with two patients or more.
        examples: up to five groups as tuples of paths, the worst first (across labels, then across splits).
        note: why nothing was searched, or "".
    """

    groups: int = 0
    files: int = 0
    within_split: int = 0
    across_splits: int = 0
    across_labels: int = 0
    across_patients: int = 0
    examples: tuple[tuple[str, ...], ...] = ()
    note: str = ""


def identical(manifest):
    """Groups of byte-identical files as Repeats."""
    groups = {}
    for row, digest in enumerate(manifest.content_digests()):
        groups.setdefault(digest, []).append(row)
    return _summary(manifest, [rows for rows in groups.values() if len(rows) > 1])


def nearly_identical(manifest, thumbnails):
    """Groups of pictures that look alike without being byte-identical: re-encoded, resized or brightened copies.

    Args:
        manifest: Manifest of n images.
        thumbnails: uint8 array (n, h, w), grey.

    Returns:
        Repeats over groups linked by pairs whose difference hashes differ in at most `NEAR_BITS` of 256 bits;
        byte-identical files are one picture here.
    """
    if len(manifest) > NEAR_LIMIT:
        return Repeats(note=f"not searched: more than {NEAR_LIMIT:,} images")
    digests = manifest.content_digests()
    first = {digest: row for row, digest in reversed(list(enumerate(digests)))}
    rows = np.array(sorted(first.values()), dtype=np.int64)
    hashes = difference_hashes(thumbnails[rows])
    links = [(int(rows[a]), int(rows[b])) for a, b in near_pairs(hashes, NEAR_BITS)]
    return _summary(manifest, _connected(links))


def difference_hashes(thumbnails):
    """Difference hash of grey pictures.

    Args:
        thumbnails: uint8 array (n, h, w), h and w at least 17.

    Returns:
        uint64 array (n, 4): 256 bits, each telling whether brightness rises from one cell of a 16x17 grid to the
        next on its right.

    Source: Krawetz (2013), "Kind of like that", the dHash; deviations: 16x16 bits instead of 8x8, because
        chest X-rays are so alike that 64 bits are equal for unrelated ones.
    """
    size = (HASH_SIDE + 1, HASH_SIDE)
    cells = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in thumbnails]
    cells = np.stack(cells) if cells else np.zeros((0, HASH_SIDE, HASH_SIDE + 1), np.uint8)
    bits = cells[:, :, 1:] > cells[:, :, :-1]
    return np.packbits(bits.reshape(len(bits), HASH_SIDE**2), axis=1).view(np.uint64)


def near_pairs(hashes, limit):
    """Pairs (a, b), a < b, of rows of a uint64 array (n, words) that differ in at most `limit` bits."""
    pairs = []
    for row in progress.each(range(len(hashes) - 1), len(hashes) - 1, "Search for look-alikes"):
        distance = np.bitwise_count(hashes[row] ^ hashes[row + 1 :]).sum(axis=1, dtype=np.int64)
        pairs += [(row, int(other)) for other in np.flatnonzero(distance <= limit) + row + 1]
    return pairs


def _connected(links):
    """Groups of rows that are linked to each other directly or through others.

    Args:
        links: iterable of pairs of ints, rows.

    Returns:
        list of sorted lists of ints, in the order of their first rows; a row without a link is in none.
    """
    parent = {}

    def root(row):
        while parent.setdefault(row, row) != row:
            row = parent[row]
        return row

    for a, b in links:
        parent[root(a)] = root(b)
    groups = {}
    for row in sorted(parent):
        groups.setdefault(root(row), []).append(row)
    return list(groups.values())


def _summary(manifest, groups):
    """Count groups of repeated files.

    Args:
        manifest: Manifest.
        groups: list of lists of ints, rows of the manifest.

    Returns:
        Repeats; its examples are those across labels first, then those across splits.
    """
    table, patients = manifest.table, manifest.patients()

    def kinds(rows, values):
        return len({values[row] for row in rows})

    splits, labels = table["split"].to_numpy(), table["label"].to_numpy()
    across_splits = [kinds(rows, splits) > 1 for rows in groups]
    across_labels = [kinds(rows, labels) > 1 for rows in groups]
    worst = sorted(range(len(groups)), key=lambda at: (not across_labels[at], not across_splits[at], groups[at]))
    return Repeats(
        groups=len(groups),
        files=sum(len(rows) for rows in groups),
        within_split=len(groups) - sum(across_splits),
        across_splits=sum(across_splits),
        across_labels=sum(across_labels),
        across_patients=sum(kinds(rows, patients) > 1 for rows in groups),
        examples=tuple(tuple(table["path"].iloc[groups[at]]) for at in worst[:_EXAMPLES]),
    )
