"""Directories of studies: a folder with several runs, called 1, 2, 3..., and what belongs to all. No TensorFlow."""

import contextlib
import logging
import re
import shutil
from pathlib import Path

from medxray.errors import RunError
from medxray.runs.directory import RunDir, checked_name, failed_early, free_name
from medxray.runs.environment import environment
from medxray.runs.names import LATEST, STUDY_RECORD
from medxray.runs.recorded_folder import RecordedFolder
from medxray.runs.tuning_directory import is_tuning
from medxray.system import storage

_NUMBER = re.compile("[1-9][0-9]{0,8}", re.ASCII)
log = logging.getLogger(__name__)


class StudyDir(RecordedFolder):
    """A directory of a study and the names of what lies in it.

    Args:
        path: the directory.
    """

    KIND, RECORD, NEEDED = "medxray-study", STUDY_RECORD, {"config": dict, "runs": int}

    def __init__(self, path):
        super().__init__(path)
        self.report_file = self.path / "report.json"
        self.predictions_file = self.path / "predictions.csv"

    def member(self, number):
        """RunDir of the run with a number, from 1."""
        return RunDir(self.path / str(number))

    def split_file(self, number):
        """The split of the run with a number, in a study whose runs have their own."""
        return self.path / f"split-{number}.csv"

    def members(self):
        """The RunDirs of all runs of the study that have been begun, in order."""
        runs = self.read_record()["runs"]
        numbers = sorted(int(folder.name) for folder in self.path.iterdir() if _NUMBER.fullmatch(folder.name))
        begun = (self.member(number) for number in numbers if number <= runs)
        return [member for member in begun if member.is_there()]

    @contextlib.contextmanager
    def in_use(self):
        """Keep other processes from training the runs of the study; RunError when one already does."""
        with contextlib.ExitStack() as held:
            for member in self.members():
                held.enter_context(member.in_use())
            yield

    def is_sound(self, record):
        """Whether the number of runs can be."""
        return record["runs"] >= 1


def is_study(path):
    """Whether a directory is that of a study."""
    return StudyDir(path).is_there()


def runs_at(paths):
    """Yield the paths of runs, with the runs of a study in its place.

    What else lies in a folder of runs, such as a search for options or `mlflow.db`, is left out, and the log says so.
    It also says where a study lacks runs.

    Raises:
        RunError: a study is damaged, or holds no run.
    """
    for path in paths:
        if is_tuning(path):
            log.warning("Left out: %s is a search for options and holds no run.", path)
        elif is_study(path):
            yield from _of_study(StudyDir(path))
        elif _is_other(Path(path)):
            log.warning("Left out: %s holds no run.", path)
        else:
            yield path


def _is_other(path):
    """Whether something is there that is no run, so that a pattern such as runs/* may name it."""
    if path.is_dir():
        return not RunDir(path).is_there()
    return path.is_file() and path.name not in (LATEST, "model.keras")


def _of_study(study):
    """The paths of the runs of a study, list of one or more."""
    found, wanted = study.members(), study.read_record()["runs"]
    if not found:
        raise RunError(
            f"{study.path} is a study that holds no run. Train its runs with `medxray train --resume {study.path}`, or "
            "leave it out."
        )
    if len(found) < wanted:
        log.warning(
            "%s has %d of its %d runs; those that are missing take no part. Train them: medxray train --resume %s",
            study.path,
            len(found),
            wanted,
            study.path,
        )
    return [member.path for member in found]


def name_of(directory):
    """Name of a run (RunDir); that of a run of a study stands after the study's."""
    folder = directory.path.parent
    return f"{folder.name}/{directory.name}" if is_study(folder) else directory.name


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
        going_on = f", or go on with it: medxray train --resume {path}" if is_study(path) else ""
        raise RunError(f"{path} exists already, and a study replaces nothing. Choose another --name{going_on}.")
    study = StudyDir(path)
    record = {"kind": StudyDir.KIND, "what": what, "runs": runs, "command": list(command), "config": config.to_dict()}
    storage.write_json(study.record_file, record | {"type": config.TYPE, "environment": environment()})
    return study


def remove_unless_begun(study):
    """Remove the folder of a study whose runs all failed before their first epoch: nothing can go on in it."""
    if all(failed_early(member.path) for member in study.members()):
        shutil.rmtree(study.path)
