"""Directories of studies: a folder with several runs, called 1, 2, 3..., and what belongs to all. No TensorFlow."""

import logging
from pathlib import Path

from medxray.errors import RunError
from medxray.runs.directory import RunDir, checked_name, free_name
from medxray.runs.environment import environment
from medxray.runs.names import STUDY_RECORD
from medxray.runs.tuning_directory import is_tuning
from medxray.system import storage

_KIND = "medxray-study"
log = logging.getLogger(__name__)


class StudyDir:
    """A directory of a study and the names of what lies in it.

    Args:
        path: the directory.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.record_file = self.path / STUDY_RECORD
        self.report_file = self.path / "report.json"
        self.predictions_file = self.path / "predictions.csv"

    @property
    def name(self):
        """Name of the study, that of its directory."""
        return self.path.resolve().name

    def member(self, number):
        """RunDir of the run with a number, from 1."""
        return RunDir(self.path / str(number))

    def split_file(self, number):
        """The split of the run with a number, in a study whose runs have their own."""
        return self.path / f"split-{number}.csv"

    def members(self):
        """The RunDirs of all runs of the study that have been begun, in order."""
        found = (self.member(number) for number in range(1, self.read_record()["runs"] + 1))
        return [member for member in found if member.record_file.exists()]

    def read_record(self):
        """The content of study.json as a dict.

        Raises:
            RunError: it is missing, damaged or of another program.
        """
        try:
            record = storage.read_json(self.record_file)
        except (OSError, ValueError) as error:
            raise RunError(
                f"{self.path} is not a medxray study: {self.record_file} cannot be read ({error})."
            ) from error
        sound = isinstance(record, dict) and record.get("kind") == _KIND and isinstance(record.get("config"), dict)
        if not sound or type(record.get("runs")) is not int:
            raise RunError(f"{self.record_file} is damaged or of another program. Begin the study again.")
        return record


def is_study(path):
    """Whether a directory is that of a study."""
    return StudyDir(path).record_file.is_file()


def runs_at(paths):
    """Yield the paths of runs, with the runs of a study in its place; a search for options has none."""
    for path in paths:
        if is_tuning(path):
            log.warning("Left out: %s is a search for options and holds no run.", path)
        elif is_study(path):
            yield from (member.path for member in StudyDir(path).members())
        else:
            yield path


def create_study(config, *, what, runs, command):
    """Make the directory of a study.

    Args:
        config: RunConfig with absolute paths, of all its runs; its `name` and `runs_dir` are those of the study.
        what: in what the runs differ, such as "seeds".
        runs: how many there are to be.
        command: the command line as a list of words.

    Returns:
        StudyDir.

    Raises:
        ConfigError: the name is no plain folder name.
        RunError: it exists already.
        StorageError: the folder cannot be written.
    """
    folder = Path(config.runs_dir)
    stem = f"{config.resolved().default_name}-{what}"
    path = free_name(folder, stem) if config.name is None else folder / checked_name(config.name)
    if path.exists() and any(path.iterdir()):
        raise RunError(f"{path} exists already. Choose another --name, or go on with it: medxray train --resume {path}")
    study = StudyDir(path)
    record = {"kind": _KIND, "what": what, "runs": runs, "command": list(command), "config": config.to_dict()}
    storage.write_json(study.record_file, record | {"type": config.TYPE, "environment": environment()})
    return study
