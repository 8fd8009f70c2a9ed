"""Rows of a user's CSV. No TensorFlow."""

import os
from pathlib import Path

from medxray.data.csv_table import check_column, read_rows
from medxray.data.layouts.folders import SPLIT_NAMES
from medxray.data.layouts.labels import LabelledFile
from medxray.data.manifest import SPLITS, Skipped, portable_path
from medxray.errors import ConfigError, DataError


def csv_rows(path, *, path_col, label_col, patient_col=None, split_col=None):
    """Rows of a CSV in file order; relative paths count from the CSV's folder.

    Args:
        path: the CSV.
        path_col: column with the image paths.
        label_col: column with the labels.
        patient_col: column with the patients, or None.
        split_col: column with train, val or test (or a usual synonym, or nothing), or None.

    Returns:
        (list of LabelledFile, list of Skipped for paths where there is no file).

    Raises:
        ConfigError: a needed column was not named.
        DataError: a column does not exist, or a row has no path, no label, an unknown split or a path that
            occurred before.
    """
    path = Path(path)
    header, records = read_rows(path)
    if path_col is None or label_col is None:
        raise ConfigError(f"{path.name} needs --path-col and --label-col. Its columns: {', '.join(header)}.")
    options = {"--path-col": path_col, "--label-col": label_col, "--patient-col": patient_col, "--split-col": split_col}
    for option, column in options.items():
        if column is not None:
            check_column(column, header, where=f"{path.name}, {option}")
    rows, missing, seen, root = [], [], {}, path.parent.absolute()
    for number, cells in records:
        where = f"{path.name} row {number}"
        file, label, patient, split = (cells[column] if column else "" for column in options.values())
        _check_cells(file, label, where=where)
        target = portable_path(root / file, root)
        if target in seen:
            raise DataError(f"{file} is listed twice ({where} and row {seen[target]}). Remove one of the rows.")
        seen[target] = number
        row = LabelledFile(target, label, patient, parse_split(split, where=where), where)
        if os.path.exists(root / target):
            rows.append(row)
        else:
            missing.append(Skipped(target, f"there is no such file ({where})"))
    return rows, missing


def _check_cells(file, label, *, where):
    if not file or not file.isprintable():
        raise DataError(f"Expected an image path. Received {file!r} ({where}). Fix or remove the row.")
    if not label or not label.isprintable():
        raise DataError(f"Expected a label. Received {label!r} ({where}). Fix or remove the row.")


def parse_split(text, *, where):
    """The split that a cell names: "train", "val", "test" or ""; raises DataError for anything else."""
    if not text:
        return ""
    if text.casefold() not in SPLIT_NAMES:
        raise DataError(f"Split must be one of {', '.join(SPLITS)}. Received {text!r} ({where}). Fix the row.")
    return SPLIT_NAMES[text.casefold()]
