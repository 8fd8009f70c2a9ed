"""The kinds of runs, each one object: what configures, trains, serves, checks and describes a run of this kind."""

from collections.abc import Callable
from dataclasses import dataclass

from medxray.anomaly import card as anomaly_card
from medxray.anomaly import serving as anomaly_serving
from medxray.anomaly.config import AnomalyConfig
from medxray.anomaly.detector import Detector
from medxray.anomaly.experiment import DetectorTrainer
from medxray.classifier import card as classifier_card
from medxray.classifier import serving as classifier_serving
from medxray.ensemble import card as ensemble_card
from medxray.ensemble import serving as ensemble_serving
from medxray.ensemble.config import EnsembleConfig
from medxray.ensemble.run import Ensemble
from medxray.ensemble.trainer import EnsembleTrainer
from medxray.errors import RunError
from medxray.evaluation.model_card import KindCard
from medxray.trained_run import Run
from medxray.training.classifier import ClassifierTrainer
from medxray.training.config import TrainConfig


@dataclass(frozen=True)
class RunKind:
    """One kind of run.

    Attributes:
        name: its name in run.json, the TYPE of its configuration.
        config: subclass of training.config.RunConfig.
        experiment: trains it: (RunDir, configuration, RunKind, listeners) -> training.trainer.Trainer.
        trained: trained_run.Run or a subclass; it also holds the notes, further figures and plots of every evaluation.
        serving: export.serving.Serving or a subclass: the signatures of the exported graph.
        parity: function (run, loaded SavedModel, export.parity.Compared) -> dict of largest differences that only
            this kind has.
        card: what its model card says in its own words.
        figures: names of the figures that its reports may have besides those of every report.
    """

    name: str
    config: type
    experiment: type
    trained: type
    serving: type
    parity: Callable
    card: KindCard
    figures: tuple[str, ...] = ()

    def load(self, directory):
        """The trained run in a runs.directory.RunDir."""
        return self.trained(directory, self)


CLASSIFIER = RunKind(
    name=TrainConfig.TYPE,
    config=TrainConfig,
    experiment=ClassifierTrainer,
    trained=Run,
    serving=classifier_serving.ClassifierServing,
    parity=classifier_serving.parity,
    card=classifier_card.CARD,
)
ANOMALY = RunKind(
    name=AnomalyConfig.TYPE,
    config=AnomalyConfig,
    experiment=DetectorTrainer,
    trained=Detector,
    serving=anomaly_serving.DetectorServing,
    parity=anomaly_serving.parity,
    card=anomaly_card.CARD,
    figures=(anomaly_card.PLAIN_MSE_AUROC,),
)
ENSEMBLE = RunKind(
    name=EnsembleConfig.TYPE,
    config=EnsembleConfig,
    experiment=EnsembleTrainer,
    trained=Ensemble,
    serving=ensemble_serving.EnsembleServing,
    parity=ensemble_serving.parity,
    card=ensemble_card.CARD,
)
KINDS = {kind.name: kind for kind in (CLASSIFIER, ANOMALY, ENSEMBLE)}


def kind_of(record):
    """The RunKind of a run by its record (dict of run.json); a record without a type is that of a classifier.

    Raises:
        RunError: this version does not know the kind.
    """
    name = record.get("type", CLASSIFIER.name)
    if not isinstance(name, str) or name not in KINDS:
        raise RunError(f"A run must be one of {', '.join(KINDS)}. Received '{name}': a newer medxray wrote it.")
    return KINDS[name]


def trained_run(directory):
    """The trained run in a runs.directory.RunDir, as its kind loads it."""
    return kind_of(directory.read_record()).load(directory)
