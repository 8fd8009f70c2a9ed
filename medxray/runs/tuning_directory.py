"""Directories of searches for options: the trials, the record, and what belongs to them. No TensorFlow, no Optuna."""

import contextlib
import secrets
import shutil
from pathlib import Path

from medxray.errors import RunError
from medxray.runs.directory import checked_name, free_name, now
from medxray.runs.environment import environment
from medxray.runs.names import TUNING_RECORD
from medxray.runs.recorded_folder import RecordedFolder
from medxray.system import locks


class TuningDir(RecordedFolder):
    """A directory of a search and the names of what lies in it.

    Processes that share a search hold its lock while they begin or end a trial, and a lock of their own as long as they
    work, by which others know that they live.

    Args:
        path: the directory.
    """

    KIND, RECORD = "medxray-tuning", TUNING_RECORD
    NEEDED = {"config": dict, "search": list, "trials": int, "mark": str, "objective": str, "judge_on": str}

    def __init__(self, path):
        super().__init__(path)
        self.database_file = self.path / "study.db"
        self.split_file = self.path / "split.csv"
        self.best_file = self.path / "best.toml"
        self.trials_file = self.path / "trials.csv"
        self.plots = self.path / "plots"
        self._work = self.path / "work"

    def read_record(self):
        """The content of tuning.json as a dict, with the key `state`: "running", "completed" or "interrupted".

        Raises:
            RunError: it is missing, damaged or of another program.
        """
        record = self._stored()
        return record | {"state": self._state(record)}

    def _state(self, record):
        if self._workers():
            return "running"
        return "completed" if sum(record.get("counts", {}).values()) >= record["trials"] else "interrupted"

    @contextlib.contextmanager
    def locked(self):
        """Hold the lock of the search for the time of the block; wait for it."""
        with locks.alone(self.path, wait=True):
            yield

    @contextlib.contextmanager
    def working(self):
        """Be known as a process that works on the search for the time of the block; yields the name it is known by."""
        worker = secrets.token_hex(6)
        with locks.alone(self.work_of(worker), wait=True):  # another process may be asking whether it is held
            try:
                yield worker
            finally:
                shutil.rmtree(self.work_of(worker), ignore_errors=True)
        self.forget(worker)

    def work_of(self, worker):
        """Folder for the runs of a process."""
        return self._work / worker

    def is_working(self, worker):
        """Whether a process still works on the search."""
        if not locks.lock_file(self.work_of(worker)).exists():
            return False
        try:
            with locks.alone(self.work_of(worker)):
                return False
        except locks.Busy:
            return True

    def forget(self, worker):
        """Remove what a process has left that works no more."""
        shutil.rmtree(self.work_of(worker), ignore_errors=True)
        locks.lock_file(self.work_of(worker)).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # others are at work
            self._work.rmdir()

    def _workers(self):
        names = [file.name[1:-5] for file in self._work.glob(".*.lock")] if self._work.is_dir() else []
        return [name for name in names if self.is_working(name)]

    @contextlib.contextmanager
    def in_use(self):
        """Keep other processes from beginning trials; RunError when one works on the search."""
        try:
            with locks.alone(self.path):
                if self._workers():
                    raise locks.Busy(self.path)
                yield
        except locks.Busy as error:
            raise RunError(f"{self.path} is being worked on by another process. Wait for it or stop it.") from error


def is_tuning(path):
    """Whether a directory is that of a search."""
    return TuningDir(path).is_there()


def place_of_tuning(config):
    """The TuningDir that a configuration names; without a name `<default name>-tune`, numbered where it is taken.

    Args:
        config: resolved RunConfig.

    Raises:
        ConfigError: the name is no plain folder name.
    """
    folder = Path(config.runs_dir)
    if config.name is None:
        return TuningDir(free_name(folder, f"{config.default_name}-tune"))
    return TuningDir(folder / checked_name(config.name))


def check_free(directory):
    """Raise RunError where something else is in the way of a new search; what one left that never began is not.

    Args:
        directory: TuningDir without a record.
    """
    there = {file.name for file in directory.path.iterdir()} if directory.path.is_dir() else set()
    if directory.database_file.name in there:
        raise RunError(
            f"{directory.database_file} is of another project: there is no {directory.record_file.name} of medxray "
            "beside it. Choose another --name."
        )
    if [name for name in there - {directory.split_file.name} if not name.startswith(".partial-")]:
        raise RunError(f"{directory.path} exists already and is no search for options. Choose another --name.")


def record_of_new(config, *, command, **facts):
    """What tuning.json says of a new search.

    Args:
        config: RunConfig with absolute paths, as the user gave it.
        command: the command line as a list of words.
        **facts: search, objective, judge_on, pruning, trials, note.
    """
    return {
        "kind": TuningDir.KIND,
        "type": config.TYPE,
        "created": now(),
        "command": list(command),
        "mark": secrets.token_hex(16),
        "config": config.to_dict(),
        "counts": {},
        "best": None,
        "environment": environment(),
        **facts,
    }
