"""The Python interface: train, resume, load a run. The commands only call it and the Run it returns."""

from medxray.errors import RunError
from medxray.run_kinds import KINDS, kind_of, trained_run
from medxray.runs.directory import open_run
from medxray.trained_run import Run
from medxray.training.execution import resume_run, start_run

__all__ = ["Run", "load_run", "resume", "train"]


def train(config):
    """Train a model.

    Args:
        config: TrainConfig or AnomalyConfig.

    Returns:
        Run, complete.

    Raises:
        MedxrayError: the subclass and its message say what to do.
    """
    kind = KINDS[config.TYPE]
    return kind.load(start_run(config, kind))


def resume(path):
    """Finish an interrupted run in place.

    Args:
        path: run directory.

    Returns:
        Run, complete.

    Raises:
        RunError: there is no such run, or it is complete.
    """
    return trained_run(resume_run(path, kind_of))


def load_run(path="runs/latest"):
    """Load a trained run.

    Args:
        path: run directory, or the model.keras in it.

    Returns:
        Run.

    Raises:
        RunError: there is no run, or it has no model yet.
    """
    run = open_run(path)
    if not run.model_file.exists():
        raise RunError(
            f"{run.path} has no trained model yet (state: {run.read_record()['state']}). "
            f"Finish it with: medxray train --resume {path}"
        )
    return trained_run(run)
