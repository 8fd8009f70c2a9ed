"""A run that takes part in a study: what it has stored about one of its splits."""

import dataclasses
from dataclasses import dataclass

from medxray.errors import DataError, RunError
from medxray.metrics.decision import Decision
from medxray.metrics.prediction_table import read_predictions
from medxray.metrics.predictions import Predictions
from medxray.metrics.report import evaluate_split
from medxray.runs.directory import RunDir, open_run
from medxray.runs.images import read_content
from medxray.runs.stored_decision import stored_decision
from medxray.runs.study_directory import name_of
from medxray.system import storage

SHIFTS, SAMPLE = "shifts", "shifts_sample"


@dataclass(frozen=True)
class Member:
    """A run and its predictions of one split.

    Attributes:
        name: of the run, after that of its study; its path where another member has the same name.
        directory: RunDir.
        record: dict of run.json.
        predictions: Predictions of the split.
        decision: the run's Decision.
        report: the JSON object of the split.
        shifts: JSON object of its shifted views, or None where the run has none.
    """

    name: str
    directory: RunDir
    record: dict
    predictions: Predictions
    decision: Decision
    report: dict
    shifts: dict | None

    @property
    def seconds(self):
        """Seconds that the run took from decoding to export; None where they are not on record."""
        spent = self.record.get("seconds") or {}
        return sum(spent.values()) or None

    def digests(self):
        """SHA-256 of its images, dict path -> text; empty where they are not on record."""
        if not self.directory.content_file.exists():
            return {}
        table = read_content(self.directory)
        return dict(zip(table["path"], table["sha256"], strict=True))

    def of(self, paths):
        """The member for some of its images alone (set of paths); its figures are computed for these.

        The figures of shifted views, which are of the other images too, are left out.
        """
        rows = [row for row, path in enumerate(self.predictions.paths) if path in paths]
        part = self.predictions.where(rows)
        report = evaluate_split(part, self.decision)
        return dataclasses.replace(self, predictions=part, report=report, shifts=None)


def read_member(path, split):
    """Read a run as a member of a study.

    Args:
        path: its directory.
        split: "train", "val" or "test".

    Raises:
        RunError: there is no such run, it is not complete, or it holds no figures of the split.
        DataError: its predictions are damaged.
    """
    directory = open_run(path)
    record = directory.read_record()
    if record["state"] != "completed":
        raise RunError(
            f"Only completed runs can be compared. {directory.path} is {record['state']}: finish it with "
            f"`medxray train --resume {directory.path}`, or leave it out."
        )
    files = directory.latest_evaluation(split)
    report = _splits(files.metrics_file).get(split)
    predictions = read_predictions(files.predictions_file).get(split)
    if report is None or predictions is None:
        raise RunError(
            f"{directory.path} holds no figures of its {split} split. Evaluate it: medxray evaluate "
            f"{directory.path} --split {split}"
        )
    if len(predictions) != report["n"]:
        raise DataError(
            f"{files.predictions_file} has {len(predictions)} images of the {split} split and {files.metrics_file} "
            f"{report['n']}. Write them again: medxray evaluate {directory.path} --split {split}"
        )
    shifts = report.get(SHIFTS) or report.get(SAMPLE)
    return Member(
        name=name_of(directory),
        directory=directory,
        record=record,
        predictions=predictions,
        decision=stored_decision(record, directory.path),
        report=report,
        shifts=shifts if shifts and shifts["n"] else None,
    )


def _splits(file):
    try:
        return storage.read_json(file)["splits"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{file} cannot be read ({error!r}). Write it again with `medxray evaluate`.") from error
