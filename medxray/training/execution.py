"""Starting and resuming runs of every kind: seeds, precision, interrupts, and what the record says afterwards."""

import contextlib
import dataclasses
import logging

import keras
import tensorflow as tf

from medxray.errors import MedxrayError, RunError, TrainingError
from medxray.runs.directory import command_line, create_run, open_run, undo_replacing
from medxray.training.config import config_from_dict
from medxray.training.options import option_name

log = logging.getLogger(__name__)


def start_run(config, kind):
    """Train a new run as `config` (RunConfig) says and return its RunDir; `kind`: its run_kinds.RunKind."""
    config = config.resolved().anchored()
    run = create_run(config, command=command_line())
    log.info("Run %s", run.path)
    return _execute(run, dataclasses.replace(config, name=run.name), kind)


def resume_run(path, kind_of):
    """Go on with a run that was interrupted, and return its RunDir.

    Args:
        path: the run's directory.
        kind_of: function record (dict of run.json) -> run_kinds.RunKind.

    Raises:
        RunError: there is no such run, or it is complete.
    """
    run = open_run(path)
    record = run.read_record()
    if record["state"] == "completed":
        raise RunError(f"{run.path} is complete; there is nothing to resume. Train a new run instead.")
    kind = kind_of(record)
    log.info("Resuming %s", run.path)
    run.update_record(state="running")
    config = config_from_dict(record["config"], source=str(run.record_file), kind=kind.config)
    return _execute(run, config, kind)


def _execute(run, config, kind):
    _seed(config)
    with run.in_use():
        try:
            with interrupts_as_such():
                kind.experiment(run, config, kind).go()
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
    return run


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
    with contextlib.suppress(MedxrayError):  # the disk may be full; the first error is the one to tell
        run.update_record(state="failed", error=str(error))
        undo_replacing(run)


def _seed(config):
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
