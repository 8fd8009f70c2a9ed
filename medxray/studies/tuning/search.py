"""Begins a search, goes on with it, and runs its trials one after the other; other processes may do so as well."""

import dataclasses
import logging
import shutil
import time

import optuna

from medxray.errors import ConfigError, MedxrayError, RunError, TrainingError
from medxray.runs.directory import command_line
from medxray.runs.tuning_directory import TuningDir, check_free, place_of_tuning, record_of_new
from medxray.studies.tuning.choices import OBJECTIVES
from medxray.studies.tuning.database import FAILED, INTERRUPTED, TrialDatabase, create_database
from medxray.studies.tuning.outcome import write_outcome
from medxray.studies.tuning.space import Dimension, value_text
from medxray.system import storage
from medxray.training.options import option_name

log = logging.getLogger(__name__)
_PLACES = ("name", "runs_dir", "cache_dir", "cache_budget", "saved_models_dir", "export", "overwrite")  # of no figure


def begin_search(config, space, *, objective, judge_on, trials, pruning, split):
    """Make the directory of a search, or find the one that the same options have begun.

    Args:
        config: TrainConfig, the fixed options; its `name` and `runs_dir` are those of the search.
        space: tuple of space.Dimension.
        objective: key of OBJECTIVES.
        judge_on: key of choices.JUDGED_ON.
        trials: number of trials wanted in all.
        pruning: whether trials that do worse than others are ended early.
        split: function (config, path) that writes the split of all trials and returns a note on it, or None.

    Returns:
        TuningDir.

    Raises:
        ConfigError: the search of that name has other options.
        RunError: something else is there, or its database is of another project.
    """
    config = dataclasses.replace(config.anchored(), saved_models_dir=config.saved_models_dir)  # no trial writes there
    directory = place_of_tuning(config.resolved())
    storage.check_place(directory.path)
    facts = {
        "search": storage.plain([vars(dimension) for dimension in space]),
        "objective": objective,
        "judge_on": judge_on,
        "pruning": pruning,
    }
    with directory.locked():
        if not directory.record_file.exists():
            check_free(directory)
            note = split(config, directory.split_file)
            record = record_of_new(config, command=command_line(), trials=trials, note=note, **facts)
            storage.write_json(directory.record_file, record)
        record = directory.read_record()
        _check_same(directory, record, config, facts)
        if "begun" not in record:  # the database is written after the record, and before `begun`
            create_database(
                directory.database_file, mark=record["mark"], maximize=OBJECTIVES[record["objective"]].maximize
            )
            directory.update_record(begun=True)
        directory.update_record(trials=trials)
    log.info("Search %s: %s", directory.path, ", ".join(map(str, space)))
    return directory


def _check_same(directory, record, config, facts):
    """Raise ConfigError where a search has been begun with other options."""
    now, before = config.to_dict(), record["config"]
    differing = [name for name in now if name not in _PLACES and now[name] != before.get(name)]
    pairs = [(option_name(name), before.get(name), now[name]) for name in differing]
    pairs += [
        (option_name(name), record.get(name), value) for name, value in facts.items() if record.get(name) != value
    ]
    if not pairs:
        return
    name, earlier, given = pairs[0]
    if name == "--search":
        earlier, given = (", ".join(str(Dimension.from_dict(one)) for one in spaces) for spaces in (earlier, given))
    raise ConfigError(
        f"{directory.path} was begun with {name} {_shown(earlier)}. Received {_shown(given)}. Trials of different "
        f"options cannot be compared: repeat the first command, or choose another --name."
    )


def _shown(value):
    return "not given" if value is None else value_text(value)


def open_search(path, *, trials=None):
    """The TuningDir of a search that is there, with another number of trials where one is given.

    Raises:
        RunError: there is none, or it is damaged.
    """
    directory = TuningDir(path)
    if directory.database_file.exists() and not directory.record_file.exists():
        check_free(directory)
    if not directory.path.is_dir():
        raise RunError(f"There is no search at {path}. Begin one with `medxray tune`, or name another one.")
    directory.read_record()
    if trials is not None:
        with directory.locked():
            directory.update_record(trials=trials)
    return directory


def run_search(directory, trial_of, *, seed):
    """Run trials until there are as many as the record wants, and write what they have found.

    Args:
        directory: TuningDir.
        trial_of: function dict of tuning.json -> trial; a trial is a function (values, folder, report) -> dict with
            value and ci95, see `trial.TrainingTrials`. It is called where trials are missing.
        seed: int, at least 0.

    Returns:
        outcome.Outcome.

    Raises:
        RunError: the database is of another project, or no trial has a value.
        MedxrayError: an error that every trial would meet, as for `api.train`.
    """
    record = directory.read_record()
    space = tuple(Dimension.from_dict(value) for value in record["search"])
    with directory.working() as worker:
        with directory.locked():
            database = TrialDatabase(directory, pruning=record["pruning"])
            database.reap()
        train = trial_of(record) if database.wants(record["trials"]) else None
        while train:
            with directory.locked():
                database.reap()
                trial = database.ask(space, seed=seed, worker=worker, trials=record["trials"])
            if trial is None:
                break
            _run_one(directory, database, trial, train, worker)
    with directory.locked():
        return write_outcome(directory, database)


def _run_one(directory, database, trial, train, worker):
    """Run one trial and note how it ended."""
    number, folder, begin = trial.number, directory.work_of(worker) / str(trial.number), time.perf_counter()
    named = ", ".join(f"{name.replace('_', '-')} {value_text(value)}" for name, value in trial.params.items())
    log.info("Trial %d: %s", number, named)

    def report(epoch, value):
        trial.report(value, epoch - 1)  # Optuna counts from 0
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        found = train(trial.params, folder, report)
        if found["value"] is None:
            raise TrainingError("Its figure is not a number.")
    except optuna.TrialPruned:
        _end(directory, database, lambda: database.prune(number, _seconds(begin)))
        log.info("Trial %d: ended early, it does worse than the median of the others.", number)
    except TrainingError as error:
        reason = str(error)
        _end(directory, database, lambda: database.fail(number, FAILED, reason, _seconds(begin)))
        log.warning("Trial %d failed: %s", number, reason)
    except BaseException as error:
        reason = str(error) if isinstance(error, MedxrayError) else repr(error)
        _end(directory, database, lambda: database.fail(number, INTERRUPTED, reason, _seconds(begin)))
        raise
    else:
        _end(directory, database, lambda: database.complete(number, found["value"], found | _seconds(begin)))
        log.info("Trial %d: %.4f (%.0f s)", number, found["value"], time.perf_counter() - begin)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _seconds(begin):
    return {"seconds": round(time.perf_counter() - begin, 2)}


def _end(directory, database, note):
    """Note the end of a trial, and how many there are now, for those who do not read the database."""
    with directory.locked():
        note()
        directory.update_record(counts=database.counts(), best=database.best_value())
