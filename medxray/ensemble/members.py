"""The runs of an ensemble: do they answer the same question about the same patients? No TensorFlow."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from medxray.errors import ConfigError, DataError, RunError
from medxray.runs.directory import RunDir, open_run
from medxray.runs.images import read_content
from medxray.runs.stored_decision import stored_decision
from medxray.runs.study_directory import name_of, runs_at
from medxray.training.config import TrainConfig

_FORM = ("image_size", "channels", "resize")
_COLUMNS = ["path", "label", "patient_id", "split"]


@dataclass(frozen=True)
class Member:
    """A run that takes part in an ensemble.

    Attributes:
        directory: RunDir.
        record: dict of run.json.
    """

    directory: RunDir
    record: dict

    @property
    def name(self):
        """Name of the run, after that of its study."""
        return name_of(self.directory)

    @property
    def classes(self):
        """Names of the classes in the order of the outputs."""
        return tuple(self.record["data"]["classes"])

    @property
    def calibration(self):
        """The run's metrics.calibration.Calibration."""
        return stored_decision(self.record, self.directory.path).calibration

    @property
    def question(self):
        """(task, classes, positive class) in words."""
        data = self.record["data"]
        positive = f", positive {data['positive']}" if data["positive"] else ""
        return f"{data['task']} ({', '.join(self.classes)}{positive})"

    @property
    def form(self):
        """The form in which it takes images, in words."""
        size, channels, resize = (self.record["config"].get(name) for name in _FORM)
        return f"{size} x {size} pixels, {channels} channel{'s' if channels != 1 else ''}, {resize}"

    @cached_property
    def images(self):
        """Set of (path, label, patient, split, SHA-256) of its images.

        Raises:
            RunError: a list of its images cannot be read.
        """
        content = read_content(self.directory)[["path", "sha256"]]
        try:
            split = pd.read_csv(self.directory.split_file, dtype=str, keep_default_na=False)[_COLUMNS]
        except (OSError, ValueError, KeyError) as error:
            raise RunError(f"{self.directory.split_file} cannot be read ({error}). Train the run again.") from error
        return set(split.merge(content, on="path", how="left").itertuples(index=False, name=None))


def read_members(paths):
    """Read the runs of an ensemble and check that they go together.

    Args:
        paths: directories of runs, or of studies, all of whose runs take part. A run that is named twice takes part
            once.

    Returns:
        list of Member, one or more.

    Raises:
        ConfigError: none is named.
        RunError: a run is missing, damaged, not complete, or no classifier.
        DataError: the runs have other tasks, classes, inputs or splits.
    """
    directories = {directory.path: directory for directory in map(open_run, runs_at(paths))}
    if not directories:
        raise ConfigError("An ensemble needs two or more runs, or one with --tta or --mc. Received none.")
    members = [_member(directory) for directory in directories.values()]
    for other in members[1:]:
        _check_pair(members[0], other)
    return members


def _member(directory):
    record = directory.read_record()
    kind = record.get("type", TrainConfig.TYPE)
    if kind != TrainConfig.TYPE:
        raise RunError(f"An ensemble is made of classifiers. {directory.path} is of type {kind}: leave it out.")
    if record["state"] != "completed" or not directory.model_file.exists():
        raise RunError(
            f"An ensemble needs completed runs. {directory.path} is {record['state']}: finish it with "
            f"`medxray train --resume {directory.path}`, or leave it out."
        )
    damaged = [name for name in ("arch", *_FORM) if record["config"].get(name) is None]
    damaged += [name for name in ("data", "decision") if not isinstance(record.get(name), dict)]
    if damaged:
        raise RunError(f"{directory.record_file} is damaged: it has no {damaged[0]}. Train the run again.")
    return Member(directory, record)


def _check_pair(first, other):
    if other.question != first.question:
        raise DataError(
            f"Runs of an ensemble need the same task and classes. {first.name} has {first.question} and {other.name} "
            f"{other.question}. Combine the runs of one task."
        )
    if other.form != first.form:
        raise DataError(
            f"Runs of an ensemble need the same input. {first.name} takes {first.form} and {other.name} {other.form}. "
            "Train them with the same --image-size, --channels and --resize."
        )
    differing = first.images ^ other.images
    if differing:
        raise DataError(
            f"Runs of an ensemble need the same split, so that validation and test patients are new to all of them. "
            f"{first.name} and {other.name} differ in {len({row[0] for row in differing})} images, such as "
            f"{min(differing)[0]}. Train with: --split-file {first.directory.split_file}"
        )
