"""The runs, studies and searches in a folder: listing them, and removing some. No TensorFlow."""

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from medxray.errors import RunError
from medxray.runs.directory import RunDir, open_run
from medxray.runs.study_directory import StudyDir, is_study
from medxray.runs.tuning_directory import TuningDir, is_tuning
from medxray.system import storage

UNFINISHED = ("failed", "interrupted")
_FIGURES = ("auroc", "balanced_accuracy")


@dataclass(frozen=True)
class Listed:
    """A run, a search for options, or a study without runs, as a list shows it.

    Attributes:
        name: of the run, that of a run of a study after the study's.
        directory: RunDir, TuningDir or StudyDir.
        state: "running", "completed", "failed", "interrupted" (killed ones too), "empty" of a study without runs, or
            "damaged" where run.json cannot be read.
        record: dict of run.json; an empty one where it cannot be read.
    """

    name: str
    directory: RunDir | TuningDir | StudyDir
    state: str
    record: dict

    @property
    def is_run(self):
        """Whether it is a run, no search and no study."""
        return isinstance(self.directory, RunDir)

    def to_dict(self):
        """JSON values: name, path, state, created, what, data, bytes, auroc, balanced_accuracy.

        `what` is architecture and mode, method, or the number of members; the figures are those of the test split after
        training, with value and ci95, or None.
        """
        config = self.record.get("config", {})
        return {
            "name": self.name,
            "path": str(self.directory.path),
            "state": self.state,
            "created": self.record.get("created"),
            "what": _what(config) + ("" if self.is_run else self._searched()),
            "data": config.get("data"),
            "bytes": sum(file.stat().st_size for file in self.directory.path.rglob("*") if file.is_file()),
            **_figures(self.directory if self.is_run else None),
        }

    def _searched(self):
        """How far a search is: ", 5 of 20 trials"; of a study without runs how many it wants."""
        if not self.record:
            return ""
        if isinstance(self.directory, StudyDir):
            return f", 0 of {self.record['runs']} runs"
        return f", {sum(self.record['counts'].values())} of {self.record['trials']} trials"


def _what(config):
    if config.get("members"):
        return f"ensemble of {len(config['members'])}"
    return " ".join(str(config[key]) for key in ("method", "arch", "mode") if config.get(key))


def listed_runs(folder):
    """The runs that lie in a folder, the newest last; folders that hold no run.json are no runs.

    Args:
        folder: pathlib.Path or str.

    Returns:
        list of Listed.

    Raises:
        RunError: there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RunError(f"There is no folder {folder}. Train a run with `medxray train`, or name another --runs-dir.")
    found = []
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            found += _listed(path)
    return sorted(found, key=lambda run: (run.record.get("created") or "", run.name))


def remove(directories):
    """Remove some runs, studies and searches, unless a process is at work on one of them.

    Args:
        directories: list of RunDir, StudyDir and TuningDir.

    Raises:
        RunError: a process is at work on one of them; nothing is removed then.
        StorageError: a file cannot be removed.
    """
    with contextlib.ExitStack() as held:
        for directory in directories:
            held.enter_context(directory.in_use())
        for directory in directories:
            try:
                shutil.rmtree(directory.path)
            except OSError as error:
                raise storage.storage_error(directory.path, error) from error
            _forget_latest(directory)


def _forget_latest(directory):
    """Remove the link `latest` that pointed at a run which is gone."""
    link = directory.path.parent / "latest"
    named = link.read_text(encoding="utf-8").strip() if link.is_file() else None
    if (link.is_symlink() and not link.exists()) or named == directory.path.name:
        link.unlink()


def open_listed(path):
    """The RunDir, StudyDir or TuningDir of what lies at a path.

    Raises:
        RunError: there is nothing, or none of them.
    """
    kind = TuningDir if is_tuning(path) else StudyDir if is_study(path) else None
    if kind is None:
        return open_run(path)
    directory = kind(Path(path).resolve())
    directory.read_record()
    return directory


def state_text(directory):
    """The state of a RunDir or TuningDir in a word; of a StudyDir, how many runs it holds."""
    if isinstance(directory, StudyDir):
        return f"study, {len(directory.members())} of {directory.read_record()['runs']} runs"
    return directory.read_record()["state"]


def _listed(path):
    if is_study(path):
        return _in_study(StudyDir(path))
    return [_search(TuningDir(path))] if is_tuning(path) else _in_folder(path, path.name)


def _search(directory):
    try:
        record = directory.read_record()
    except RunError:
        return Listed(directory.name, directory, "damaged", {})
    return Listed(directory.name, directory, record["state"], record)


def _in_study(study):
    found = [run for path in study.path.iterdir() for run in _in_folder(path, f"{study.name}/{path.name}")]
    return found or [_empty(study)]


def _empty(study):
    try:
        return Listed(study.name, study, "empty", study.read_record())
    except RunError:
        return Listed(study.name, study, "damaged", {})


def _in_folder(path, name):
    """The run in a folder as a list; an empty one where there is none."""
    directory = RunDir(path)
    if path.is_symlink() or not directory.record_file.is_file():
        return []
    try:
        record = directory.read_record()
    except RunError:
        return [Listed(name, directory, "damaged", {})]
    return [Listed(name, directory, _state(directory, record["state"]), record)]


def _state(directory, stored):
    """The state; a run that is on record as running while no process trains it was stopped from outside."""
    if stored != "running":
        return stored
    try:
        with directory.in_use():
            return "interrupted"
    except RunError:
        return stored


def _figures(directory):
    """The headline figures of the test split of a run, dict; None where there is none."""
    try:
        report = storage.read_json(directory.metrics_file)["splits"]["test"]
        return {name: report.get(name) for name in _FIGURES}
    except (AttributeError, OSError, ValueError, KeyError, TypeError):
        return dict.fromkeys(_FIGURES)
