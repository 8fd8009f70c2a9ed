"""Rows of a user's CSV. No TensorFlow."""

import logging
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from medxray.data.csv_table import check_column, column_list, read_rows, shortened
from medxray.data.layouts.csv_labels import BLANK, NOBODY, positive_wins, read_labels
from medxray.data.layouts.find_image import ImageFinder
from medxray.data.layouts.labels import LabelledFile
from medxray.data.layouts.names import clean_label
from medxray.data.layouts.public_releases import options_for
from medxray.data.layouts.split_names import exact_split
from medxray.data.manifest import SPLITS, Skipped, is_portable, portable_path
from medxray.errors import ConfigError, DataError

log = logging.getLogger(__name__)
_LONGEST_PATH, _LONGEST_LABEL = 4096, 256  # characters
_MOST_CLASSES = 20  # more than these, and more than half as many as rows, are no classes


@dataclass(frozen=True)
class CsvOptions:
    """How a CSV is read.

    Attributes:
        path_col: column with the image paths or names.
        label_col: column with the labels.
        patient_col: column with the patients, or None.
        split_col: column with train, val or test (or a usual synonym, or nothing), or None.
        image_root: folder that paths count from; None: the folder of the CSV.
        positive_finding: see `csv_labels.read_labels`.
        uncertain: see `csv_labels.read_labels`.
    """

    path_col: str | None = None
    label_col: str | None = None
    patient_col: str | None = None
    split_col: str | None = None
    image_root: str | None = None
    positive_finding: str | None = None
    uncertain: str | None = None

    def columns(self):
        """Dict option -> column, or None."""
        return {
            "--path-col": self.path_col,
            "--label-col": self.label_col,
            "--patient-col": self.patient_col,
            "--split-col": self.split_col,
        }


def csv_rows(path, options):
    """Rows of a CSV, one per image, in file order.

    Args:
        path: the CSV.
        options: CsvOptions.

    Returns:
        (absolute folder that paths count from, list of LabelledFile, list of Skipped for paths where there is no file,
        list of Skipped that count rows left out).

    Raises:
        ConfigError: a needed column was not named, or `image_root` is no folder.
        DataError: a column does not exist, a row has no path or an unknown split, or two rows of one image disagree.
    """
    path = Path(path)
    root = _root(path, options.image_root)
    rows, left_out = read_labels(
        _records(path, options), path.name, positive_finding=options.positive_finding, uncertain=options.uncertain
    )
    _check_rows(path, rows, left_out)
    finder, of_file, missing = ImageFinder(root), {}, {}
    for row in rows:
        found, reason = finder.find(row.file)
        if not found:
            name = row.file.strip()
            name = shortened(name) if len(name) > _LONGEST_PATH else name
            missing.setdefault(row.file, Skipped(name, f"{reason} ({row.where})"))
        for file in found:
            target = portable_path(file, root)
            of_file.setdefault(target, []).append(replace(row, file=target))
    _tell_gone(path.name, rows, missing)
    merged = [_one(several, options.positive_finding) for several in of_file.values()]
    repeated = sum(map(len, of_file.values())) - len(merged)
    if repeated:
        log.info("%s: %d rows repeat an image and are merged with its first row.", path.name, repeated)
    for item in left_out:
        log.warning("%s: %s.", item.path, item.reason)
    return root, merged, list(missing.values()), left_out


def _check_rows(path, rows, left_out):
    """Refuse a table of which no row is left, and labels that are no classes."""
    if not rows:
        raise DataError(f"No row of {path} is left: {'; '.join(item.reason for item in left_out)}.")
    labels = {row.label.casefold() for row in rows}
    if len(labels) > max(_MOST_CLASSES, len(rows) // 2):
        raise DataError(
            f"The label column of {path} has {len(labels)} labels in {len(rows)} rows, such as {rows[0].label!r}: "
            "it does not name classes. Pass another --label-col, or a table with one label per class."
        )


def _tell_gone(table, rows, missing):
    """Warn of labels none of whose files is there."""
    there = {row.label.casefold() for row in rows if row.file not in missing}
    gone = [row for row in rows if row.label.casefold() not in there]
    for label, count in Counter(row.label for row in gone).items():
        log.warning(
            "%s: none of the images of label %s is there (%d rows), so it is no class. See --image-root.",
            table,
            label,
            count,
        )


def check_labels_kept(rows, usable, skipped):
    """Raise DataError for a label of a CSV none of whose files is a usable image.

    Args:
        rows: list of LabelledFile whose files are there.
        usable: those that can be used.
        skipped: list of Skipped that has the others.
    """
    kept = {row.label.casefold() for row in usable}
    lost = [row for row in rows if row.label.casefold() not in kept]
    if lost:
        reason = next((item.reason for item in skipped if item.path == lost[0].file), "it cannot be read")
        count = sum(row.label.casefold() == lost[0].label.casefold() for row in lost)
        raise DataError(
            f"None of the {count} images of label {lost[0].label} can be read (the first, {lost[0].file}: {reason}). "
            "Convert them to PNG or JPEG, or take their rows out of the table."
        )


def _root(path, image_root):
    if image_root is None:
        return path.parent.absolute()
    if not Path(image_root).is_dir():
        raise ConfigError(f"--image-root must be a folder. Received '{image_root}'. Correct the path.")
    return Path(image_root).absolute()


def _records(path, options):
    """LabelledFile of each row, its file as the cell has it."""
    header, records = read_rows(path, as_written=(options.path_col,))
    if options.path_col is None or options.label_col is None:
        if len(header) < 2:
            raise DataError(
                f"{path} is no table of images: its first line has one column, {shortened(header[0])!r}. Pass a "
                "folder, or a CSV with a column of image paths and one of labels."
            )
        raise ConfigError(
            f"{path.name} needs --path-col and --label-col. Its columns: {column_list(header)}.{_guess(path)}"
        )
    if options.path_col == options.label_col:
        raise ConfigError(f"--path-col and --label-col both name {options.path_col!r}. Name the column of labels.")
    columns = options.columns()
    for option, column in columns.items():
        if column is not None:
            check_column(column, header, where=f"{path.name}, {option}")
    if not records:
        raise DataError(f"{path} has a header line, but no rows. Check that it was written whole.")
    return [_record(cells, columns, f"{path.name} row {number}") for number, cells in records]


def _guess(path):
    text = options_for(path)
    return f" Perhaps: {text.removeprefix('with ')}." if "its columns:" not in text else ""


def _record(cells, columns, where):
    file, label, patient, split = (cells[column] if column else "" for column in columns.values())
    if not file.strip() or not is_portable(file):
        raise DataError(f"Expected an image path. Received {shortened(file)!r} ({where}). Fix or remove the row.")
    if not is_portable(label) or len(label) > _LONGEST_LABEL:
        raise DataError(f"Expected a label. Received {shortened(label)!r} ({where}). Fix or remove the row.")
    if label.lstrip().startswith("="):
        raise DataError(
            f"Expected a label. Received the formula {shortened(label)!r} ({where}). Save the table with values in "
            "place of formulas."
        )
    patient = "" if patient.strip().casefold() in NOBODY else patient.strip()
    split = "" if split.strip().casefold() in BLANK else split
    return LabelledFile(file, clean_label(label), patient, parse_split(split.strip(), where=where), where)


def _one(rows, positive_finding):
    """The one row of an image that several rows may name."""
    first = rows[0]
    before = f"row {first.where.rsplit(' ', 1)[-1]}"
    for row in rows[1:]:
        if (row.patient_id, row.split) != (first.patient_id, first.split):
            raise DataError(
                f"{row.file} is listed twice ({row.where} and {before}), with another patient or split. "
                "Remove one of the rows."
            )
    label = positive_wins([row.label for row in rows], positive_finding)
    if label is None:
        other = next(row for row in rows if row.label.casefold() != first.label.casefold())
        raise DataError(
            f"{first.file} is listed twice ({other.where} and {before}), as {other.label} and as {first.label}. "
            "Remove one of the rows, or say with --positive-finding NAME which finding counts."
        )
    return replace(first, label=label)


def parse_split(text, *, where):
    """The split that a cell names: "train", "val", "test" or ""; raises DataError for anything else."""
    if not text:
        return ""
    if not exact_split(text):
        raise DataError(f"Split must be one of {', '.join(SPLITS)}. Received {text!r} ({where}). Fix the row.")
    return exact_split(text)
