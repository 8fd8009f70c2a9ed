"""The kinds of runs: which classes hold their configuration, train them and are them when trained."""

import importlib
from dataclasses import dataclass

from medxray.errors import RunError


@dataclass(frozen=True)
class Kind:
    """One kind of run; each field is "module:class", imported when asked for.

    Attributes:
        config_class: subclass of training.config.RunConfig.
        experiment_class: trains it: (RunDir, configuration) -> object with `go()`.
        trained_class: trained_run.Run or a subclass: (RunDir) -> trained run.
    """

    config_class: str
    experiment_class: str
    trained_class: str

    @property
    def config(self):
        """The configuration's class."""
        return _load(self.config_class)

    @property
    def experiment(self):
        """The experiment's class."""
        return _load(self.experiment_class)

    @property
    def trained(self):
        """The trained run's class."""
        return _load(self.trained_class)


KINDS = {
    "classifier": Kind(
        "medxray.training.config:TrainConfig", "medxray.training.classifier:Experiment", "medxray.trained_run:Run"
    ),
    "anomaly": Kind(
        "medxray.anomaly.config:AnomalyConfig",
        "medxray.anomaly.experiment:AnomalyExperiment",
        "medxray.anomaly.detector:Detector",
    ),
}


def kind_of(record):
    """The Kind of a run by its record (dict of run.json); raises RunError for one that this version does not know."""
    name = record.get("type", "classifier")
    if not isinstance(name, str) or name not in KINDS:
        raise RunError(f"A run must be one of {', '.join(KINDS)}. Received '{name}': a newer medxray wrote it.")
    return KINDS[name]


def trained_run(directory):
    """The trained run in a runs.directory.RunDir, as the class of its kind."""
    return kind_of(directory.read_record()).trained(directory)


def _load(reference):
    module, name = reference.split(":")
    return getattr(importlib.import_module(module), name)
