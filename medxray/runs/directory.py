"""Run directories: the only place that names, creates and records them. No TensorFlow."""

import contextlib
import datetime
import logging
import os
import re
import shutil
import sys
from pathlib import Path

from medxray.errors import ConfigError, RunError
from medxray.runs.environment import environment
from medxray.runs.evaluation_files import EvaluationFiles
from medxray.runs.names import LATEST, RUN_RECORD, STUDY_RECORD, TUNING_RECORD, names_in
from medxray.runs.recorded_folder import RecordedFolder
from medxray.system import locks, storage
from medxray.system.spelling import did_you_mean

STATES = ("running", "completed", "failed", "interrupted")
SHORTCUT_AUDITS = "shortcut_audits"  # entry of run.json: split -> number of images and verdict of its last audit
log = logging.getLogger(__name__)


class RunDir(RecordedFolder, EvaluationFiles):
    """A run directory and the names of what lies in it; the evaluation at the end of training lies in it directly.

    Args:
        path: the directory. `open_run` checks that it is one.
    """

    KIND, RECORD, NEEDED = "medxray-run", RUN_RECORD, {"state": str, "config": dict}

    def __init__(self, path):
        RecordedFolder.__init__(self, path)
        EvaluationFiles.__init__(self, path)
        self.split_file = self.path / "split.csv"
        self.history_file = self.path / "history.csv"
        self.model_file = self.path / "model.keras"
        self.card_file = self.path / "model_card.md"
        self.gate_file = self.path / "gate.npz"
        self.embeddings_file = self.path / "embeddings.npz"
        self.report_file = self.path / "report.html"
        self.events_folder = self.path / "tensorboard"
        self.gallery_file = self.path / "gallery.npz"
        self.history_plot = self.plots / "history.png"
        self.content_file = self.path / "content.csv"
        self.adaptation_file = self.path / "adaptation.csv"
        self.adaptation_report = self.path / "adaptation.json"
        self.initial_model_file = self.path / "checkpoint" / "initial.keras"
        self.state_file = self.path / "checkpoint" / "state.npz"

    def own_evaluation(self, split):
        """EvaluationFiles of one of the run's own splits, evaluated again."""
        return EvaluationFiles(self.path / "evaluations" / split)

    def latest_evaluation(self, split):
        """EvaluationFiles of a split as it was evaluated after training, or else those of the training."""
        again = self.own_evaluation(split)
        return again if again.metrics_file.exists() and again.predictions_file.exists() else self

    def external_evaluation(self, name):
        """EvaluationFiles of other data that is called `name`."""
        return EvaluationFiles(self.external_folder(name))

    def external_folder(self, name):
        """Folder for what comes of other data that is called `name`."""
        return self.path / "external" / name

    def is_sound(self, record):
        """Whether the state of a record is one that there is."""
        return record["state"] in STATES

    @contextlib.contextmanager
    def in_use(self):
        """Keep other processes from training this run; RunError when one already does."""
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(locks.alone(self.path))
            except locks.Busy as error:
                raise RunError(f"{self.path} is being trained by another process. Wait for it or stop it.") from error
            yield


def create_run(config, *, command):
    """Make the directory of a new run and write its first record.

    Args:
        config: resolved training.config.RunConfig. Its `runs_dir` is created when missing. Its `name` is used as it is;
            without one the run is called by `default_name`, then `-2`, `-3`... With `overwrite` an existing run of
            that name is replaced; it is kept aside until the new one has a model. A failed run without a model is
            replaced in any case.
        command: the command line as a list of words.

    Returns:
        RunDir in state "running".

    Raises:
        ConfigError: the name is no plain folder name.
        RunError: it exists already.
        StorageError: the folder cannot be written.
    """
    runs_dir = Path(config.runs_dir)
    if config.name is None:
        path = free_name(runs_dir, config.default_name)
    else:
        path = runs_dir / checked_name(config.name)
        _clear_way(path, config.overwrite)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage.storage_error(path, error) from error
    run = RunDir(path)
    record = {
        "kind": RunDir.KIND,
        "type": config.TYPE,
        "state": "running",
        "name": path.name,
        "command": list(command),
        "created": now(),
        "config": {**config.to_dict(), "name": path.name},
        "environment": environment(),
    }
    storage.write_json(run.record_file, record)
    return run


def checked_name(name):
    """The name of a run; raises ConfigError where it is no plain folder name."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name) or name == LATEST:
        raise ConfigError(f"--name must be a plain folder name (letters, digits, '.', '_', '-'). Received '{name}'.")
    return name


def _clear_way(path, overwrite):
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    for record, what in ((STUDY_RECORD, "a study of several runs"), (TUNING_RECORD, "a search for options")):
        if (path / record).is_file():
            raise RunError(
                f"{path} exists already and is {what}. Choose another --name, or remove it: medxray runs rm {path}"
            )
    RunDir(path).read_record()  # refuses what is no run
    failed = failed_early(path)
    if not overwrite and not failed:
        raise RunError(f"{path} exists already. Choose another --name, or give --overwrite to replace it.")
    aside = _aside(path)
    if failed or aside.exists():
        shutil.rmtree(path)
    else:
        path.rename(aside)


def failed_early(path):
    """Whether a run failed before its first epoch: it holds nothing that could be used or resumed."""
    run = RunDir(path)
    if run.model_file.exists() or run.state_file.exists() or not run.record_file.exists():
        return False
    try:
        return run.read_record()["state"] == "failed"
    except RunError:  # damaged: not known to be empty
        return False


def _aside(path):
    """Where a run waits while another one is to replace it."""
    return path.with_name(f".replaced-{path.name}")


def finish_replacing(run):
    """The new run has a model: remove the one it replaces."""
    shutil.rmtree(_aside(run.path), ignore_errors=True)


def undo_replacing(run):
    """The new run failed without a model: put the one that it was to replace back."""
    aside = _aside(run.path)
    if aside.exists() and not run.model_file.exists():
        shutil.rmtree(run.path)
        aside.rename(run.path)


def free_name(runs_dir, stem):
    """Path of a run that is called `stem`, or `stem-2`, `stem-3`...; a run that failed early makes room."""
    number, path = 1, runs_dir / stem
    while path.exists() and not failed_early(path):
        number += 1
        path = runs_dir / f"{stem}-{number}"
    if path.exists():
        shutil.rmtree(path)
    return path


def point_latest(run):
    """Let `latest` beside the run point at it; without symbolic links it is a text file with the name."""
    link = run.path.parent / LATEST
    temporary = run.path.parent / f".latest-{os.getpid()}"
    try:
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(run.path.name, target_is_directory=True)
        os.replace(temporary, link)
    except OSError:
        temporary.unlink(missing_ok=True)
        if link.is_symlink():
            link.unlink()  # Windows replaces no link to a folder
        if not link.is_dir():
            storage.write_text(link, run.path.name + "\n")


def open_run(path):
    """Open an existing run.

    Args:
        path: the run's directory, or the model.keras in it.

    Raises:
        RunError: there is nothing, or it is not a run of medxray.
    """
    path = Path(path)
    if path.name == "model.keras":
        path = path.parent
    if path.name == LATEST and path.is_file():
        path = path.parent / path.read_text(encoding="utf-8").strip()
    if not path.exists():
        near = did_you_mean(path.name, names_in(path.parent))
        raise RunError(f"There is no run at {path}.{near} Train one with `medxray train`, or name another one.")
    if (path / TUNING_RECORD).is_file() and not (path / RUN_RECORD).exists():
        raise RunError(
            f"{path} is a search for options and holds no model. Train what it found: medxray train --config "
            f"{path / 'best.toml'}"
        )
    if (path / STUDY_RECORD).is_file() and not (path / RUN_RECORD).exists():
        raise RunError(f"{path} is a study of several runs. Name one of them, such as {path / '1'}.")
    run = RunDir(path.resolve())
    run.read_record()
    return run


def command_line():
    """The command line of this process as a list of words, the program by its bare name."""
    return [Path(sys.argv[0]).name, *sys.argv[1:]]


def now():
    """The time as records have it: text, UTC, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
