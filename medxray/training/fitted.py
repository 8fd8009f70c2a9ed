"""What fitting a run gives."""

import dataclasses

import keras

from medxray.metrics.predictions import Predictions
from medxray.runs.directory import RunDir
from medxray.training.config import RunConfig
from medxray.training.run_data import RunData


@dataclasses.dataclass(frozen=True, eq=False)
class FittedRun:
    """A run whose model is fitted; nothing has been asked of its test images.

    Attributes:
        directory: its RunDir.
        config: its resolved RunConfig.
        trainer: the trainer.Trainer that fitted it and can finish it.
        data: its RunData.
        model: keras.Model with the best weights: images -> probabilities, not calibrated.
        history: one dict for each epoch, the rows of history.csv; empty where a method has no epochs.
        validation: Predictions of the unchanged validation images, not calibrated.
    """

    directory: RunDir
    config: RunConfig
    trainer: object
    data: RunData
    model: keras.Model
    history: tuple[dict, ...]
    validation: Predictions
