"""`medxray train`."""

from medxray.cli.config_options import train_and_report, train_command
from medxray.training.config import TrainConfig


@train_command(TrainConfig)
def train(config, resume):
    """Train a classifier, evaluate it and export it.

    Writes a run directory under runs/ and a SavedModel under saved_models/. The threshold and the calibration come
    from validation patients, the figures from test patients.
    """
    train_and_report(config, resume)
