"""The Python interface: train, resume, load a run. The commands only call it and the Run it returns."""

from medxray.errors import RunError
from medxray.run_kinds import KINDS, kind_of, trained_run
from medxray.runs.directory import open_run
from medxray.trained_run import Run
from medxray.training import execution
from medxray.training.execution import resume_run, start_run
from medxray.training.rate_search import suggested_rate

__all__ = ["Run", "load_run", "resume", "search_rates", "train"]


def train(config):
    """Train a model.

    Args:
        config: TrainConfig, AnomalyConfig or EnsembleConfig.

    Returns:
        Run, complete.

    Raises:
        MedxrayError: the subclass and its message say what to do.
    """
    kind = KINDS[config.TYPE]
    return kind.load(start_run(config, kind))


def search_rates(config):
    """Try learning rates for a classifier before it is trained: the range test of `medxray lr-find`.

    Args:
        config: TrainConfig; its learning rates of all stages but the head's are ignored.

    Returns:
        dict name of a stage -> (DataFrame with learning_rate, loss and smoothed, suggested learning rate).

    Raises:
        TrainingError: no learning rate lowers the loss.
        MedxrayError: as for `train`.
    """
    curves = execution.search_rates(config, KINDS[config.TYPE])
    return {stage: (curve, suggested_rate(curve)) for stage, curve in curves.items()}


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
