"""What a run knows about files: their split and true class."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medxray.data.images.access import path_text
from medxray.data.images.files import ImageBytes
from medxray.runs.directory import RunDir

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SplitRow:
    """One row of a run's split.csv: absolute path, class and split."""

    path: Path
    label: str
    split: str


def listed_files(run):
    """The rows of the run's split.csv whose label is a class of the model.

    Args:
        run: a run as `medxray.load_run` returns it.

    Returns:
        list of SplitRow, in the order of the file; empty, with a warning in the log, when the file cannot be read.
    """
    file = RunDir(run.path).split_file
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
        rows = list(zip(table["path"], table["label"], table["split"], strict=True))
    except (OSError, ValueError, KeyError, pd.errors.ParserError) as error:
        log.warning("%s cannot be read (%s); true classes are unknown.", path_text(file), " ".join(str(error).split()))
        return []
    root = Path(run.record.get("data", {}).get("root", "."))
    return [SplitRow(_absolute(root / path), label, split) for path, label, split in rows if label in run.classes]


def true_labels(run, files):
    """The true class of each file, where it is known.

    Args:
        run: a run as `medxray.load_run` returns it.
        files: list of pathlib.Path and ImageBytes.

    Returns:
        list with a class name or None for each file: the label in the run's split.csv, else the name of the folder
        the file lies in, when that is a class (in any case of letters). That of ImageBytes is unknown.
    """
    listed = {row.path: row.label for row in listed_files(run)}
    folders = {name.casefold(): name for name in run.classes}
    absolute = [None if isinstance(file, ImageBytes) else _absolute(file) for file in files]
    return [path and (listed.get(path) or folders.get(path.parent.name.casefold())) for path in absolute]


def _absolute(path):
    return Path(os.path.abspath(path))
