"""The table of a dataset: which file, which label, which patient, which split. No TensorFlow."""

import os
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from medxray.data.csv_table import check_column, read_rows
from medxray.data.images.access import content_sha256, is_image_file
from medxray.errors import DataError, ImageError
from medxray.system import progress
from medxray.system.storage import text_sha256, write_csv

COLUMNS = ("path", "label", "subtype", "patient_id", "split")
SPLITS = ("train", "val", "test")
_THREADS = 8
_REMEDY = "Fix the row or name the right --data."


@dataclass(frozen=True)
class Skipped:
    """A file that is not used, and why."""

    path: str
    reason: str


@dataclass(frozen=True, eq=False)
class Manifest:
    """A dataset as a table, never changed in place.

    Attributes:
        table: pandas.DataFrame with the text columns `COLUMNS` ("" = unknown) and index 0..n-1. `path` is
            POSIX and relative to `root` when below it, else absolute.
        root: absolute folder of the dataset.
        task: one of `data.tasks.TASKS`.
        classes: class names; the position is the index in probabilities. Binary: the positive class is last.
        positive: name of the positive class; None for three or more classes.
        grouped: True when every image has a patient id.
        skipped: files that cannot be used.
        ignored: files and folders beside the dataset that are no part of it.
    """

    table: pd.DataFrame
    root: Path
    task: str
    classes: tuple[str, ...]
    positive: str | None
    grouped: bool
    skipped: tuple[Skipped, ...] = ()
    ignored: tuple[Skipped, ...] = ()
    _known_digests: dict[Path, str] = field(default_factory=dict, repr=False)  # shared by a manifest and its parts

    def __len__(self):
        return len(self.table)

    def files(self):
        """Absolute paths (list of pathlib.Path) in row order."""
        return [self.root / path for path in self.table["path"]]

    def labels(self):
        """Labels as int64 array (n,), each an index into `classes`."""
        index = {name: position for position, name in enumerate(self.classes)}
        return np.array([index[label] for label in self.table["label"]], dtype=np.int64)

    def patients(self):
        """Patient of each image, str array (n,); an image of an unknown patient is a patient of its own."""
        known = zip(self.table["patient_id"], self.table["path"], strict=True)
        return np.array([patient or f"image:{path}" for patient, path in known], dtype=str)

    def subset(self, split):
        """The rows of one split ("train", "val" or "test") as a Manifest."""
        if split not in SPLITS:
            raise DataError(f"Split must be one of {', '.join(SPLITS)}. Received {split!r}.")
        return self.where(self.table["split"] == split)

    def where(self, mask):
        """The rows for which `mask` (bool, n) is true, as a Manifest; `skipped` and `grouped` are kept."""
        mask = np.asarray(mask, dtype=bool)
        return replace(self, table=self.table[mask].reset_index(drop=True))

    def without(self, skipped):
        """Drop the files named in `skipped` (iterable of Skipped) and remember why.

        A `Skipped.path` may be as in the table or absolute.
        """
        bad = {str(self.root / item.path): item for item in skipped}
        mask = np.array([str(file) not in bad for file in self.files()], dtype=bool)
        items = tuple(replace(item, path=portable_path(file, self.root)) for file, item in bad.items())
        return replace(self.where(mask), skipped=self.skipped + items)

    def counts(self):
        """Images and patients per split and class.

        Returns:
            pandas.DataFrame with columns split, label, images, patients; one row for each split present
            (in the order train, val, test, "") and each class, also where the count is 0.
        """
        rows = self.table.assign(patient=self.patients())
        present = [split for split in (*SPLITS, "") if (rows["split"] == split).any()]
        cells = [
            (split, label, rows[(rows["split"] == split) & (rows["label"] == label)])
            for split in present
            for label in self.classes
        ]
        records = [(split, label, len(cell), cell["patient"].nunique()) for split, label, cell in cells]
        return pd.DataFrame(records, columns=["split", "label", "images", "patients"])

    def content_digests(self):
        """SHA-256 of each file's bytes, tuple of 64 hexadecimal characters in row order.

        A file is read once, also for the manifests that were made of this one.

        Raises:
            DataError: a file cannot be read any more.
        """
        files = self.files()
        unread = [file for file in files if file not in self._known_digests]
        with ThreadPoolExecutor(_THREADS) as pool:
            digests = progress.each(pool.map(content_digest, unread), len(unread), "Digests of files")
            self._known_digests.update(zip(unread, digests, strict=True))
        return tuple(self._known_digests[file] for file in files)

    def digest(self):
        """SHA-256 over task, class order and table: the same files in another folder give the same digest."""
        return text_sha256(self.task, *self.classes, self.table.to_csv(index=False, lineterminator="\n"))


def content_digest(path):
    """SHA-256 of a file's bytes, 64 hexadecimal characters. Raises DataError where it cannot be read any more."""
    try:
        return content_sha256(path)
    except (OSError, ImageError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) else error
        raise DataError(f"Could not read {path}: {reason}. Restore the file or remove it.") from error


def build_table(rows):
    """A manifest table from an iterable of 5-tuples in the order of `COLUMNS`, all text, index 0..n-1."""
    return pd.DataFrame(list(rows), columns=list(COLUMNS), dtype=str)


def portable_path(path, root):
    """`path` as POSIX text, relative to `root` where it lies below it, else absolute; links are not followed."""
    absolute = Path(os.path.abspath(path))
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else absolute.as_posix()


def is_portable(text):
    """False for text that no line of a CSV can hold: with control characters, or of bytes that are no UTF-8."""
    return not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)


def write_split_csv(manifest, path):
    """Write the table (columns exactly `COLUMNS`) atomically to `path`."""
    write_csv(path, manifest.table[list(COLUMNS)])


def remedy_for_gone(root, otherwise=""):
    """What to do where images of a run are not below `root` any more; `otherwise` is one more way, in words."""
    return f"Restore it; if its folder has moved, put a symbolic link to the new place at {root}{otherwise}."


def read_split_csv(path, *, root, task, classes, positive, split=None, named=None, remedy=_REMEDY):
    """Read what `write_split_csv` wrote, or a table edited by hand.

    Args:
        path: CSV with the columns `COLUMNS`, in any order.
        root: folder that relative paths count from.
        task: one of `data.tasks.TASKS`.
        classes: class names in order; binary: positive last.
        positive: name of the positive class, or None.
        split: read the rows of this split only; files of other rows may be missing.
        named: function (dict of a row's cells, its place for messages) -> (label, subtype); None: as they are.
        remedy: what to do about a file below `root` that does not exist, for the message.

    Returns:
        Manifest with a split for each row.

    Raises:
        DataError: a column is missing, or a row has an unknown label or split, a file that does not exist or that
            occurred before; the message names the row.
    """
    path, root = Path(path), Path(os.path.abspath(root))
    records = _split_records(path)
    rows, seen = [], {}
    for number, cells in records:
        where = f"{path.name} row {number}"
        if named is not None:
            cells = {**cells, **dict(zip(("label", "subtype"), named(cells, where), strict=True))}
        _check_among(cells["label"], classes, what="Label", where=where)
        _check_among(cells["split"], SPLITS, what="Split", where=where)
        if split not in (None, cells["split"]):
            continue
        file = _existing(cells["path"], root, where=where, remedy=remedy)
        if file in seen:
            raise DataError(f"{file} is listed twice ({where} and row {seen[file]}). Remove one of the rows.")
        seen[file] = number
        rows.append((file, *(cells[column] for column in COLUMNS[1:])))
    table = build_table(rows)
    return Manifest(table, root, task, tuple(classes), positive, all_known(table))


def split_csv_labels(path):
    """Labels and subtypes in what `read_split_csv` reads, a set; DataError as there."""
    cells = [cells for _, cells in _split_records(Path(path))]
    return {row[column] for row in cells for column in ("label", "subtype")} - {""}


def _split_records(path):
    header, records = read_rows(path, as_written=("path",))
    for column in COLUMNS:
        check_column(column, header, where=path.name)
    if not records:
        raise DataError(f"{path} lists no images.")
    return records


def _check_among(value, allowed, *, what, where):
    if value not in allowed:
        raise DataError(f"{what} must be one of {', '.join(allowed)}. Received {value!r} ({where}). Fix the row.")


def _existing(path, root, *, where, remedy):
    if is_portable(path) and not is_image_file(root / path):
        path = path.strip()
    if os.path.isabs(path) and is_portable(path) and not is_image_file(path):
        raise DataError(f"There is no file {path!r} ({where}). Put it, or a symbolic link to it, back at that path.")
    if not is_portable(path) or not is_image_file(root / path):
        raise DataError(f"There is no file {path!r} below {root} ({where}). {remedy}")
    return portable_path(root / path, root)


def all_known(table):
    """True when each row of a manifest table has a patient id (and there is a row)."""
    return bool(len(table)) and bool((table["patient_id"] != "").all())
