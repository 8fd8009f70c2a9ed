"""The trackers of a run: listeners of its epochs that are also told how it ended."""

import contextlib
import logging
import os
import typing

from medxray.errors import MedxrayError
from medxray.tracking.installed import check_installed

log = logging.getLogger(__name__)


class Tracker(typing.Protocol):
    """A `training.listeners.EpochListener` that is told of the end, too."""

    def on_epoch(self, stage, epoch, values):
        """React to a finished epoch, see EpochListener."""

    def on_complete(self, trained):
        """React to a run that is complete, trained_run.Run."""

    def on_stop(self):
        """React to a run that was interrupted or failed."""


@contextlib.contextmanager
def tracked(run, config):
    """The trackers that a configuration asks for, for the time of a training; the block may end in an error.

    Args:
        run: runs.directory.RunDir.
        config: resolved training.config.RunConfig.

    Yields:
        tuple of Tracker.

    Raises:
        ConfigError: a package is not installed.
        TrainingError: MLflow cannot be reached.
    """
    check_installed(config)
    trackers = tuple(make(run, config) for make in _wanted(config))
    try:
        yield trackers
    except BaseException:
        for tracker in trackers:
            tracker.on_stop()
        raise


def tell_complete(trackers, trained):
    """Tell trackers that a run is complete; what one cannot do then is a warning."""
    for tracker in trackers:
        try:
            tracker.on_complete(trained)
        except MedxrayError as error:
            log.warning("The run is complete, but not all of it could be told: %s", error)


def _wanted(config):
    if getattr(config, "tensorboard", False):
        from medxray.tracking.tensorboard_log import TensorBoardLog

        yield TensorBoardLog
    if getattr(config, "mlflow", False):
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it would tell its makers how it is used
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        from medxray.tracking.mlflow_log import MlflowLog

        yield MlflowLog
