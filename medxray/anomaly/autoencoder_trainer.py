"""The autoencoder over images: training by the stages of a classifier, scores from whole images."""

import dataclasses

import keras
import numpy as np

from medxray.anomaly.autoencoder import TRAINING_LOSS, build_autoencoder
from medxray.anomaly.score import RAW_SCORE
from medxray.data.augment import policy
from medxray.models.inference import predict_batches
from medxray.system import progress
from medxray.training import stages
from medxray.training.modes import Stage
from medxray.training.objectives import own_output

_BATCH = 64


class AutoencoderTrainer:
    """Trains an autoencoder on normal images; early stopping looks at normal validation images alone.

    Args:
        run: RunDir.
        config: resolved AnomalyConfig.
        images: image_set.ImageSet with the rows `train` (normal images alone) and `val_normal`.
        listeners: further training.listeners.EpochListener objects.

    Attributes:
        history: one dict for each epoch, once it is fitted.
    """

    history = ()

    def __init__(self, run, config, images, listeners=()):
        self._run, self._config, self._listeners = run, config, listeners
        rows = {"train": images.rows["train"], "val": images.rows["val_normal"]}
        self._images = dataclasses.replace(images, rows=rows, policy=policy(config.augment))
        self._plan = (Stage("main", None, config.epochs, config.learning_rate),)
        self.model = self._untrained()

    def _untrained(self):
        config = self._config
        return build_autoencoder(
            image_size=config.image_size,
            channels=config.channels,
            bottleneck=config.bottleneck,
            loss=config.loss,
            standardize=config.standardize,
            seed=config.seed,
        )

    def fit(self, timed):
        """Train, from the last checkpoint where there is one; `timed` is a function phase -> context manager."""
        setup = stages.TrainingSetup(
            model=self.model,
            plan=self._plan,
            images=self._images,
            features=None,
            weights=np.ones(len(self._images.labels), np.float32),
            config=self._config,
            run=self._run,
            objective=own_output(),
            output=TRAINING_LOSS,
            listeners=self._listeners,
        )
        position = stages.train_stages(setup, timed)
        self.history = position.history
        self._run.update_record(best_epoch=position.best_epoch)
        return self.model

    def best_so_far(self):
        """The best weights of an interrupted training in a model of their own; None before the first epoch."""
        model = self._untrained()
        return model if stages.load_best(model, self._plan, self._run, output=TRAINING_LOSS) else None

    def raw_scores(self, images, name, model=None):
        """Raw scores of the rows `name` of an ImageSet, float64 (n,); `model` stands in for the fitted one."""
        model = model or self.model
        part = keras.Model(model.input, model.get_layer(RAW_SCORE).output)
        batches = images.images(images.rows[name]).batch(_BATCH).prefetch(2)
        counted = progress.counted(batches, len(images.rows[name]), "Anomaly scores")
        return predict_batches(part, counted)[:, 0].astype(np.float64)

    def pooled(self, rows):
        """None: the bottlenecks of `rows` are not known yet."""
