"""What a run holds for its report and its plots. No TensorFlow."""

import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from medxray.data.images.thumbnails import read_thumbnail
from medxray.embeddings.vectors import read_embeddings
from medxray.errors import DataError, MedxrayError, RunError
from medxray.metrics.decision import Decision
from medxray.metrics.prediction_table import read_predictions
from medxray.metrics.predictions import Predictions
from medxray.report.heat import read_heats
from medxray.runs.directory import RunDir, open_run
from medxray.runs.stored_decision import stored_decision
from medxray.system import storage

CLASSIFIER, ANOMALY = "classifier", "anomaly"
_RESUME = {CLASSIFIER: "train", ANOMALY: "anomaly train"}
_PIXELS = 192  # of the longer side of a picture that is shown
ORDER = ("test", "val", "train")  # the split that is shown is the first of them that has images


@dataclass(frozen=True, eq=False)
class Contents:
    """A completed run and what it has stored.

    Attributes:
        directory: RunDir.
        record: dict of run.json.
        reports: dict split -> JSON object of its newest evaluation, as in docs/evaluation.md.
        predictions: Predictions of the split that is shown.
        decision: the run's Decision.
    """

    directory: RunDir
    record: dict
    reports: dict
    predictions: Predictions
    decision: Decision

    @property
    def split(self):
        """Name of the split that is shown."""
        return self.predictions.split

    @property
    def report(self):
        """JSON object of the split that is shown."""
        return self.reports[self.split]

    @property
    def plots(self):
        """Folder of the plots of the split that is shown."""
        return self.directory.latest_evaluation(self.split).plots

    @property
    def kind(self):
        """CLASSIFIER, ANOMALY or what a newer version calls it."""
        return self.record.get("type", CLASSIFIER)

    @property
    def path(self):
        """The run's directory as text, for command lines."""
        return str(self.directory.path)

    @cached_property
    def history(self):
        """DataFrame of history.csv; None where the run was not trained by epochs."""
        try:
            table = pd.read_csv(self.directory.history_file, keep_default_na=False)
        except (OSError, ValueError, pd.errors.ParserError):
            return None
        return table if len(table) else None

    @cached_property
    def card(self):
        """The model card, Markdown, or None."""
        file = self.directory.card_file
        return file.read_text(encoding="utf-8", errors="backslashreplace") if file.is_file() else None

    @cached_property
    def shifts(self):
        """JSON object of the shifted views of the split: all of them, else the sample after training; or None."""
        stored = (self.report, _splits(self.directory.metrics_file).get(self.split, {}))
        found = [report.get(name) for name in ("shifts", "shifts_sample") for report in stored]
        return next((shifts for shifts in found if shifts and shifts.get("families")), None)

    @cached_property
    def audit(self):
        """JSON object of the shortcut audit of the split, or None."""
        return _read(self.directory.own_evaluation(self.split).shortcut_audit.report_file)

    @cached_property
    def explanations(self):
        """JSON object of the check of explanation methods on the split, or None."""
        return _read(self.directory.own_evaluation(self.split).explanations.report_file)

    @cached_property
    def cohort(self):
        """(JSON object, dict of named arrays) of the mean heatmaps of the split, or None."""
        files = self.directory.own_evaluation(self.split).cohort
        report = _read(files.report_file)
        if report is None or not files.maps_file.is_file():
            return None
        try:
            with open(files.maps_file, "rb") as file, np.load(file, allow_pickle=False) as stored:
                return report, {name: stored[name] for name in stored.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise RunError(f"{files.maps_file} cannot be read ({error}). Write it again, or remove it.") from error

    def files(self):
        """Path of the image of each prediction, list of pathlib.Path."""
        return self.files_of(self.predictions.paths)

    def files_of(self, paths):
        """Paths of images, relative to the root of the run's data or absolute, as pathlib.Path."""
        root = Path(self.record.get("data", {}).get("root", "."))
        return [root / path for path in paths]

    def thumbnail(self, file):
        """The picture in a file, uint8 (h,w) or (h,w,3); None where it cannot be read."""
        try:
            return read_thumbnail(file, _PIXELS)
        except (MedxrayError, OSError):
            return None

    @cached_property
    def embeddings(self):
        """Embeddings of the run's images, or None."""
        file = self.directory.embeddings_file
        return read_embeddings(file) if file.is_file() else None

    @cached_property
    def heats(self):
        """The Heats that the run holds, or None."""
        file = self.directory.gallery_file
        return read_heats(file) if file.is_file() else None


def _check_complete(directory, record):
    if record["state"] == "completed":
        return
    command = _RESUME.get(record.get("type", CLASSIFIER), "train")
    raise RunError(
        f"Only completed runs have a report and plots. {directory.path} is {record['state']}: finish it with "
        f"`medxray {command} --resume {directory.path}`."
    )


def _splits(file):
    found = _read(file)
    splits = found.get("splits") if found else None
    return splits if isinstance(splits, dict) else {}


def _read(file):
    """A JSON object, or None where there is none."""
    if not file.is_file():
        return None
    try:
        found = storage.read_json(file)
    except (OSError, ValueError) as error:
        raise RunError(f"{file} cannot be read ({error}). Write it again, or remove it.") from error
    return found if isinstance(found, dict) else None


def read_contents(path, split=None):
    """Read what a run holds.

    Args:
        path: its directory.
        split: which split is shown; None: the first of ORDER that has images.

    Returns:
        Contents.

    Raises:
        RunError: there is no such run, it is not complete, or the split, or nothing of it, was evaluated.
        DataError: its predictions are damaged.
    """
    directory = open_run(path)
    record = directory.read_record()
    _check_complete(directory, record)
    files = {name: directory.latest_evaluation(name) for name in ORDER}
    reports = {name: _splits(one.metrics_file).get(name) for name, one in files.items()}
    wanted = ORDER if split is None else (split,)
    shown = next((name for name in wanted if reports.get(name) and reports[name]["n"]), None)
    if shown is None:
        further = "" if split is None else f" of the {split} split"
        command = f"medxray evaluate {directory.path}" + ("" if split is None else f" --split {split}")
        raise RunError(f"{directory.path} holds no figures{further}. Evaluate it: {command}")
    predictions = read_predictions(files[shown].predictions_file).get(shown)
    if predictions is None or len(predictions) != reports[shown]["n"]:
        raise DataError(
            f"{files[shown].predictions_file} and {files[shown].metrics_file} are not of the same images of the "
            f"{shown} split. Write them again: medxray evaluate {directory.path} --split {shown}"
        )
    return Contents(
        directory=directory,
        record=record,
        reports={name: reports[name] for name in ORDER if reports[name]},
        predictions=predictions,
        decision=stored_decision(record, directory.path),
    )
