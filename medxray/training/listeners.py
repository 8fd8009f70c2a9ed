"""Who is notified of each finished epoch: the log and the history file, and whoever else asks for it."""

import logging
import typing

import pandas as pd

from medxray.metrics.history import CALIBRATED
from medxray.system import storage

log = logging.getLogger(__name__)
_SHOWN = (
    ("val_loss", "loss", 4),
    (CALIBRATED, "NLL after calibration", 4),
    ("val_accuracy", "accuracy", 3),
    ("val_auroc", "AUROC", 3),
)


class EpochListener(typing.Protocol):
    """Is called after each epoch of a run, before its checkpoint is written.

    A run that is killed between the two repeats the epoch when it is resumed, and calls again with the same values.
    """

    def on_epoch(self, stage, epoch, values):
        """React to a finished epoch.

        Args:
            stage: modes.Stage.
            epoch: number of the epoch in its stage, from 1; 0: the starting weights of the stage were validated.
            values: dict of one row of history.csv without stage and epoch: `loss` and metrics and `learning_rate` at
                its end, which epoch 0 has not; figures of validation images as `val_...`, `seconds`, and `view`, the
                augmented view as text.
        """


class HistoryFile:
    """Writes history.csv anew after each epoch.

    Args:
        path: the file.
        earlier: rows (dicts) of the epochs that a resumed run has behind it.
    """

    def __init__(self, path, earlier=()):
        self._path, self._rows = path, list(earlier)

    def on_epoch(self, stage, epoch, values):
        """Add a row and write the file."""
        self._rows.append({"stage": stage.name, "epoch": epoch, **values})
        storage.write_csv(self._path, pd.DataFrame(self._rows))


class EpochLog:
    """Logs a line for each epoch."""

    def on_epoch(self, stage, epoch, values):
        """Log losses, validation metrics and seconds."""
        validation = ", ".join(f"{words} {values[name]:.{digits}f}" for name, words, digits in _SHOWN if name in values)
        training = f"loss {values['loss']:.4f}, " if "loss" in values else ""  # epoch 0: the starting weights
        log.info(f"{stage.name} {epoch}/{stage.epochs}: {training}validation: {validation} ({values['seconds']:.0f} s)")
