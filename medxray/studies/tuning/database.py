"""The trials of a search in their SQLite file, which Optuna keeps. No TensorFlow.

Source of the sampler: Bergstra et al. (2011), Algorithms for hyper-parameter optimization (TPE). Of the pruner: Golovin
et al. (2017), Google Vizier, section 3.2 (median stopping).
"""

import contextlib
import logging
import os
import sqlite3
import warnings

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from medxray.errors import RunError, StorageError

log = logging.getLogger(__name__)
_NAME, _MARK = "medxray", "mark"
PLACE, WORKER, KIND, ERROR = "place", "worker", "kind", "error"  # what is noted of each trial
COMPLETE, PRUNED, FAILED, INTERRUPTED, RUNNING = "complete", "pruned", "failed", "interrupted", "running"
IMPORTANCE_TRIALS = 8  # complete ones, below which nothing is said of importance
STARTUP_TRIALS = 5  # trials that end before one is pruned
WARM_UP = 2  # epochs of a trial after which it may be pruned
_PATIENCE = 60  # seconds that a process waits for another one to finish writing
_DIRECTIONS = {True: "maximize", False: "minimize"}
optuna.logging.set_verbosity(optuna.logging.WARNING)


def create_database(file, *, mark, maximize):
    """Write a database without trials; it appears under its name complete or not at all.

    Args:
        file: path of the database.
        mark: text by which it is known to belong to its tuning.json.
        maximize: whether the highest value is the best.
    """
    partial = file.with_name(f".partial-{file.name}")
    partial.unlink(missing_ok=True)
    with _told(file):
        storage = _storage(partial)
        study = optuna.create_study(storage=storage, study_name=_NAME, direction=_DIRECTIONS[maximize])
        study.set_user_attr(_MARK, mark)
        storage.remove_session()
        storage.engine.dispose()
        os.replace(partial, file)


class TrialDatabase:
    """The trials of a search. Who asks for a trial or ends one holds the lock of the search.

    Args:
        directory: runs.tuning_directory.TuningDir.
        pruning: whether trials that do worse than the median of the others are ended early.

    Raises:
        RunError: the file is missing, damaged, or of another project.
    """

    def __init__(self, directory, *, pruning=True):
        self._directory, file = directory, directory.database_file
        _check_file(file)
        pruner = optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=WARM_UP)
        with _told(file):
            self._storage = _storage(file)
            self._study = optuna.load_study(
                study_name=_NAME, storage=self._storage, pruner=pruner if pruning else optuna.pruners.NopPruner()
            )
            mark = self._study.user_attrs.get(_MARK)
        if mark != directory.read_record()["mark"]:
            raise RunError(
                f"{file} belongs to another search than {directory.record_file.name} beside it. Put the right file "
                "back, or choose another --name."
            )

    def trials(self):
        """All trials so far, list of optuna.trial.FrozenTrial."""
        with _told(self._directory.database_file):
            return self._study.get_trials(deepcopy=False)

    def _places(self):
        """The places of the trials that count; one that was interrupted does not."""
        return {trial.user_attrs.get(PLACE) for trial in self.trials() if state_of(trial) != INTERRUPTED}

    def wants(self, trials):
        """Whether there are fewer trials than `trials`; those that others run count."""
        return len(self._places()) < trials

    def counts(self):
        """Number of trials that have ended and count: dict COMPLETE, PRUNED, FAILED -> int."""
        states = [state_of(trial) for trial in self.trials()]
        return {state: states.count(state) for state in (COMPLETE, PRUNED, FAILED)}

    def best(self):
        """The complete trial with the best value, or None; the earliest of equal ones."""
        complete = [trial for trial in self.trials() if state_of(trial) == COMPLETE]
        sign = -1 if self._study.direction == optuna.study.StudyDirection.MAXIMIZE else 1
        return min(complete, key=lambda trial: (sign * trial.value, trial.number), default=None)

    def best_value(self):
        """Its value, or None."""
        best = self.best()
        return None if best is None else best.value

    def importances(self):
        """How much each option decides whether a trial is among the best quarter, dict option -> share; sums to 1.

        Source: Watanabe et al. (2023), PED-ANOVA, arXiv:2304.10255; deviations: none, it is Optuna's. Empty with fewer
        than IMPORTANCE_TRIALS complete trials.
        """
        complete = [trial for trial in self.trials() if state_of(trial) == COMPLETE]
        if len(complete) < IMPORTANCE_TRIALS:
            return {}
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.25)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.importance.get_param_importances(self._study, evaluator=evaluator)

    def reap(self):
        """Mark the trials as failed whose process was killed, and tell it.

        A process puts its name on a trial and holds a lock of that name, which the system frees when it ends.
        """
        for trial in self.trials():
            worker = trial.user_attrs.get(WORKER)
            if trial.state == TrialState.RUNNING and not (worker and self._directory.is_working(worker)):
                self.fail(trial.number, INTERRUPTED, "its process ended", {})
                log.warning("Trial %d was interrupted: its process ended. It is marked as failed.", trial.number)
                if worker:
                    self._directory.forget(worker)

    def ask(self, dimensions, *, seed, worker, trials):
        """Begin a trial, or return None where there are enough.

        What is drawn depends on `seed`, the place of the trial among those that count, and the trials that ended before
        it. A trial that was interrupted does not count; another one takes its place, and draws what it has drawn where
        the others are the same.

        Args:
            dimensions: tuple of space.Dimension.
            seed: int, at least 0.
            worker: name of this process.
            trials: number of trials wanted in all.

        Returns:
            optuna.trial.Trial with a value for each dimension, or None.
        """
        with _told(self._directory.database_file):
            taken = self._places()
            if len(taken) >= trials:
                return None
            place = next(number for number in range(len(taken) + 1) if number not in taken)
            own = int(np.random.SeedSequence([seed, place]).generate_state(1)[0])
            self._study.sampler = optuna.samplers.TPESampler(seed=own)
            trial = self._study.ask({one.name: _distribution(one) for one in dimensions})
            trial.set_user_attr(PLACE, place)
            trial.set_user_attr(WORKER, worker)
            return trial

    def complete(self, number, value, facts):
        """End a trial with its value; `facts` (dict of JSON values) are noted."""
        with _told(self._directory.database_file):
            self._note(number, facts)
            self._study.tell(number, value)

    def prune(self, number, facts):
        """End a trial that did worse than others."""
        with _told(self._directory.database_file):
            self._note(number, facts)
            self._study.tell(number, state=TrialState.PRUNED)

    def fail(self, number, kind, reason, facts):
        """End a trial without a value; `kind` is INTERRUPTED or FAILED, `reason` a sentence."""
        with _told(self._directory.database_file):
            self._note(number, {KIND: kind, ERROR: reason, **facts})
            self._study.tell(number, state=TrialState.FAIL)

    def _note(self, number, facts):
        study = self._storage.get_study_id_from_name(_NAME)
        trial = self._storage.get_trial_id_from_study_id_trial_number(study, number)
        for name, value in facts.items():
            self._storage.set_trial_user_attr(trial, name, value)


def state_of(trial):
    """How a trial ended: COMPLETE, PRUNED, FAILED (it has no value), INTERRUPTED; or RUNNING."""
    if trial.state == TrialState.FAIL:
        return trial.user_attrs.get(KIND, FAILED)
    return {TrialState.COMPLETE: COMPLETE, TrialState.PRUNED: PRUNED}.get(trial.state, RUNNING)


def _distribution(dimension):
    if dimension.choices:
        return CategoricalDistribution(dimension.choices)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def _storage(file):
    url = f"sqlite:///{file.resolve().as_posix()}"
    return RDBStorage(url, engine_kwargs={"connect_args": {"timeout": _PATIENCE}})


def _check_file(file):
    """Raise RunError for what is no database of a search, before Optuna opens it, which writes into any.

    What a killed process has left half written is rolled back, as by every program that opens the file.
    """
    if not file.is_file():
        raise RunError(f"{file} is missing, and with it all trials. Put it back, or choose another --name.")
    try:
        with contextlib.closing(
            sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True, timeout=_PATIENCE)
        ) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            names = [name for (name,) in connection.execute("SELECT study_name FROM studies")] if tables else []
    except sqlite3.Error as error:
        raise RunError(f"{file} is no study of Optuna ({error}). Choose another --name.") from error
    if not names:
        raise RunError(f"{file} holds no study: it is empty. Remove its folder, or choose another --name.")
    if _NAME not in names:
        raise RunError(f"{file} is of another project: it holds the study '{names[0]}'. Choose another --name.")


@contextlib.contextmanager
def _told(file):
    """Errors of the database as one line."""
    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise StorageError(f"The trials in {file} cannot be read or written: {reason}.") from error
    except RuntimeError as error:  # a version of Optuna that does not know the tables
        raise RunError(f"{file} cannot be used by this version of Optuna: {str(error).splitlines()[0]}") from error
