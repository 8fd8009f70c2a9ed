"""Starting, resuming, fitting and finishing runs of every kind: seeds, interrupts, and what the record says of them."""

import contextlib
import dataclasses
import logging
import tempfile

import keras
import tensorflow as tf

from medxray.errors import MedxrayError, RunError, TrainingError
from medxray.runs.directory import command_line, create_run, open_run, undo_replacing
from medxray.system.storage import check_place
from medxray.tracking.trackers import tell_complete, tracked
from medxray.training.config import config_from_dict
from medxray.training.options import option_name
from medxray.training.rate_search import AUTO
from medxray.training.run_data import FITTED

log = logging.getLogger(__name__)


def start_run(config, kind, listeners=()):
    """Train a new run to its end: `fit` and `finish`, with the test images read first.

    So unusable test images are known, and under `--strict` an error, before the training begins.

    Args:
        config: RunConfig.
        kind: the kind of the run: `config` is its class of configuration, `experiment(RunDir, configuration, kind,
            listeners)` gives a trainer.Trainer, and `load(RunDir)` gives the trained run.
        listeners: listeners.EpochListener objects beside those for log and history file.

    Returns:
        RunDir.

    Raises:
        MedxrayError: the subclass and its message say what to do.
    """
    run, config = _new_run(config)
    return _train(run, config, kind, listeners)


def resume_run(path, kind_of, listeners=()):
    """Go on with a run that was interrupted, to its end, and return its RunDir.

    Args:
        path: the run's directory.
        kind_of: function record (dict of run.json) -> kind, see `start_run`.
        listeners: as for `start_run`.

    Raises:
        RunError: there is no such run, or it is complete.
    """
    run = open_run(path)
    record = run.read_record()
    _check_open(run, record)
    kind = kind_of(record)
    log.info("Resuming %s", run.path)
    run.update_record(state="running")
    config = config_from_dict(record["config"], source=str(run.record_file), kind=kind.config)
    return _train(run, config, kind, listeners)


def fit(config, kind, listeners=(), *, data=None, precision=None):
    """Fit the model of a new run on training and validation images; test images are neither decoded nor predicted.

    The run has then history and checkpoint, but no decision, figures, gate or export; `finish` adds them, and so does
    `resume_run` in another process. Other arguments and errors as for `start_run`.

    Args:
        config: RunConfig.
        kind: the kind of the run.
        listeners: listeners.EpochListener objects.
        data: RunData that another run with the same options of data has read; None: it is read.
        precision: what another run has chosen, the entry `precision` of its record; None: it is chosen.

    Returns:
        fitted.FittedRun.
    """
    run, config = _new_run(config)
    with _recorded(run, config):
        _seed(config)
        if precision is not None:
            run.update_record(precision=precision)
        trainer = kind.experiment(run, config, kind, listeners)
        return trainer.fit(trainer.read(FITTED) if data is None else trainer.take(data))


def search_rates(config, kind):
    """Try learning rates for a classifier that is to be trained; nothing of the trial is kept but cached activations.

    Args:
        config: TrainConfig; its learning rates of all stages but the head's are ignored.
        kind: as for `start_run`.

    Returns:
        dict name of a stage -> DataFrame of `rate_search.rate_curve`.
    """
    searching = {"learning_rate": AUTO, "stage_learning_rates": None}
    with _passing(dataclasses.replace(config, **searching), kind) as trainer:
        return trainer.search_rates(trainer.read(FITTED))


def choose_split(config, kind, *, leave_out=False):
    """Choose the images of a classifier's run and their splits, and train nothing.

    Args:
        config: TrainConfig.
        kind: as for `start_run`.
        leave_out: make the validation split of kinds of images that training does not see, see
            `holdout.hold_out_validation`; the test split stays as it is.

    Returns:
        (Manifest with splits, note on kinds of images that are left out or None).
    """
    with _passing(config, kind) as trainer:
        return trainer.choose_split(leave_out=leave_out)


def read_images(config, kind):
    """Decode the training and validation images of a run, and train nothing; `fit` takes them.

    Args:
        config: RunConfig.
        kind: as for `start_run`.

    Returns:
        run_data.RunData.
    """
    with _passing(config, kind) as trainer:
        return trainer.read(FITTED)


@contextlib.contextmanager
def _passing(config, kind):
    """The trainer of a run whose directory does not outlive the block."""
    with tempfile.TemporaryDirectory(prefix="medxray-") as folder:
        config = dataclasses.replace(config, runs_dir=folder, export=False, name=None)
        run, config = _new_run(config)
        with _recorded(run, config):
            _seed(config)
            yield kind.experiment(run, config, kind)


def finish(fitted):
    """Finish a run that `fit` has fitted: decision, evaluation of test images, gate, figures, export.

    Args:
        fitted: fitted.FittedRun.

    Returns:
        RunDir, complete.

    Raises:
        RunError: the run is complete already.
        MedxrayError: as for `start_run`.
    """
    run = fitted.directory
    _check_open(run, run.read_record())
    with _recorded(run, fitted.config):
        fitted.trainer.finish(fitted)
    return run


def _new_run(config):
    """The RunDir of a new run and its configuration, complete."""
    config = config.resolved().anchored()
    places = (config.cache_dir, config.saved_models_dir if config.export else None)
    for place in filter(None, places):
        check_place(place)
    run = create_run(config, command=command_line())
    log.info("Run %s", run.path)
    return run, dataclasses.replace(config, name=run.name)


def _check_open(run, record):
    if record["state"] == "completed":
        raise RunError(f"{run.path} is complete; there is nothing to resume. Train a new run instead.")


def _train(run, config, kind, listeners):
    with _recorded(run, config), tracked(run, config) as trackers:
        _seed(config)
        trainer = kind.experiment(run, config, kind, (*listeners, *trackers))
        trainer.finish(trainer.fit(trainer.read()))
    if trackers:
        tell_complete(trackers, kind.load(run))
    return run


@contextlib.contextmanager
def _recorded(run, config):
    """Keep the run from other processes, and put on its record how the block failed or was interrupted."""
    with run.in_use():
        try:
            with interrupts_as_such():
                yield
        except KeyboardInterrupt:
            run.update_record(state="interrupted")
            usable = "The best epoch so far can be used. " if run.model_file.exists() else ""
            log.warning("Interrupted. %sGo on with: medxray %s --resume %s", usable, config.COMMAND, run.path)
            raise
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            _record_failure(run, error)
            raise TrainingError(f"Out of memory. Train a new run with a lower {_memory_options(config)}.") from error
        except BaseException as error:  # whatever it was, the run is not complete
            _record_failure(run, error)
            raise


@contextlib.contextmanager
def interrupts_as_such():
    """Ctrl-C inside a TensorFlow call may surface as a RuntimeError that only names it; make it KeyboardInterrupt."""
    try:
        yield
    except RuntimeError as error:
        if "KeyboardInterrupt" in str(error):
            raise KeyboardInterrupt from error
        raise


def _memory_options(config):
    """The options of a run (resolved RunConfig) that memory depends on, in words."""
    fixed = ("image_size",) if getattr(config, "backbone", None) else ()
    names = ("batch_size", "dimensions", "coreset", "image_size")
    return " or ".join(option_name(name) for name in names if getattr(config, name, None) and name not in fixed)


def _record_failure(run, error):
    with contextlib.suppress(MedxrayError):  # the disk may be full; the first error is the one to report
        run.update_record(state="failed", error=str(error))
        undo_replacing(run)


def _seed(config):
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
