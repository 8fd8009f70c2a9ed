"""The training of a classifier: model, stages and class weights; predictions of each split from the cache or images."""

import dataclasses
import logging

import numpy as np
from scipy.special import softmax

from medxray.evaluation.after_training import assess
from medxray.evaluation.compared_views import rows_to_compare
from medxray.evaluation.shifts import logits_of_draws
from medxray.metrics.decision import SHIFTED
from medxray.models.classifier import build_classifier, load_classifier, pooling, quicken, suffix
from medxray.models.inference import compiled, logits_model, predict_batches, predict_rows
from medxray.models.names import POOLED
from medxray.models.own_preprocessing import preprocessing_for
from medxray.models.precision import FLOAT32, to_float32
from medxray.models.weights import load_weights
from medxray.system.progress import counted
from medxray.training import stages
from medxray.training.checkpoint import save_model
from medxray.training.dataset import SAMPLE, choose_manifest, sample_note
from medxray.training.execution import interrupts_as_such
from medxray.training.features import PrefixFeatures
from medxray.training.fitted import FittedRun
from medxray.training.holdout import hold_out, hold_out_validation
from medxray.training.losses import balanced_class_weights
from medxray.training.modes import plan_stages
from medxray.training.objectives import classification
from medxray.training.precision import AUTO, Precisions, check_device, forward_as_trained
from medxray.training.run_data import TEST
from medxray.training.trainer import Trainer

log = logging.getLogger(__name__)
_BATCH = 32
GAP_IMAGES = 256  # validation images that the gap between precisions is measured on, at most


@dataclasses.dataclass(frozen=True, eq=False)
class FittedClassifier(FittedRun):
    """A fitted classifier.

    Attributes:
        features: features.PrefixFeatures of training and validation images; None where the cache was not used.
    """

    features: PrefixFeatures | None


class ClassifierTrainer(Trainer):
    """Trains a classifier."""

    def __init__(self, run, config, kind, listeners=()):
        super().__init__(run, config, kind, listeners)
        of_version_0_1 = AUTO if config.mixed_precision else FLOAT32
        check_device(config.precision)
        self._precisions = Precisions(run, config.precision or of_version_0_1)

    def _prepare(self, manifest):
        with self._timed("model"):
            self._model(manifest)
        self._check_space()

    def fit(self, data):
        """Fit the classifier; see `Trainer.fit`."""
        with self._timed("model"):
            model = self._model(data.manifest)
        try:
            with interrupts_as_such():
                features, position = self._train(model, data.fitted)
                features = None if self._cut is None else features  # the last stage changed every layer
        except KeyboardInterrupt:
            self._save_best(data.manifest)
            raise
        self.run.update_record(best_epoch=position.best_epoch)
        with self._timed("evaluate"):
            logits = self._logits(model, self._cached(features), data.fitted, "val")
        return FittedClassifier(
            directory=self.run,
            config=self.config,
            trainer=self,
            data=data,
            model=model,
            history=position.history,
            validation=data.predictions("val", logits, split="val"),
            features=features,
        )

    def _choose(self):
        split = self._hold_out if self.config.holdout else None
        return choose_manifest(self.config, positive=self.config.positive, split=split)

    def choose_split(self, *, leave_out):
        """Choose images and splits; see `execution.choose_split`."""
        manifest = self._choose()
        if leave_out:
            return hold_out_validation(manifest, self._model(manifest), self.config)
        return manifest, None

    def _hold_out(self, manifest):
        split, held = hold_out(manifest, self._model(manifest), self.config)
        self.run.update_record(holdout=held)
        return split

    def _model(self, manifest):
        if self.run.initial_model_file.exists():
            return to_float32(load_classifier(self.run.initial_model_file))
        config = self.config
        model = self._untrained(manifest, preprocessing_for(config.arch, config.weights))
        source = load_weights(model, config.arch, config.weights)
        if source.kind == "none" and config.mode != "scratch":
            log.warning("The first weights are random (--weights none): expect poor results in mode %s.", config.mode)
        if source.kind == "none":
            quicken(model)
        self.run.update_record(weights=dataclasses.asdict(source))
        save_model(model, self.run.initial_model_file)
        return model

    def _untrained(self, manifest, preprocessing):
        config = self.config
        return build_classifier(
            config.arch,
            image_size=config.image_size,
            channels=config.channels,
            classes=len(manifest.classes),
            units=config.head_units,
            dropout=config.dropout,
            l2=config.l2,
            seed=config.seed,
            preprocessing=preprocessing,
            normalize=config.head_norm is not False,  # a run of version 0.1 has no such option
        )

    def search_rates(self, data):
        """Try learning rates, see `stages.rate_curves`.

        Args:
            data: RunData; its test images are not looked at.

        Returns:
            dict name of a stage -> DataFrame of `rate_search.rate_curve`.
        """
        setup = self._setup(self._model(data.manifest), data.fitted)
        return stages.rate_curves(setup, self._timed)

    def _train(self, model, images):
        """Train all stages; returns (PrefixFeatures or None, checkpoint.Position after the last epoch)."""
        setup = self._setup(model, images)
        return setup.features, stages.train_stages(setup, self._timed)

    def _setup(self, model, images):
        plan = plan_stages(self.config)
        weights = self._class_weights(images, model.output_shape[-1])
        with self._timed("prefix"):
            features = stages.build_features(
                model, plan, images=images, config=self.config, precisions=self._precisions
            )
        return stages.TrainingSetup(
            model=model,
            plan=plan,
            images=images,
            features=features,
            weights=weights[images.labels],
            config=self.config,
            run=self.run,
            objective=classification(
                label_smoothing=self.config.label_smoothing or 0.0, focal_gamma=self.config.focal_gamma
            ),
            l2=self.config.l2,
            train_normalization=self.config.mode == "scratch" or bool(self.config.train_bn),
            listeners=self.listeners,
            precisions=self._precisions,
        )

    def _class_weights(self, images, classes):
        weights = np.ones(classes, np.float32)
        if self.config.class_weights == "balanced":
            weights = balanced_class_weights(images.labels[images.rows["train"]], classes)
        names = self.run.read_record()["data"]["classes"]
        shown = (f"{name} {weight:.3f}" for name, weight in zip(names, weights, strict=True))
        log.info("Class weights: %s.", ", ".join(shown))
        return weights

    def _save_best(self, manifest):
        """After Ctrl-C: leave the best epoch so far as a usable model, from files alone: the live one is mid-epoch."""
        if not self.run.state_file.exists():
            return
        model = self._model(manifest)
        stages.load_best(model, plan_stages(self.config), self.run)
        self._publish(model)

    @property
    def _cut(self):
        """The layer before which the last stage changes nothing; None: it trains every layer."""
        return plan_stages(self.config)[-1].cut

    def _cached(self, features):
        """The PrefixFeatures of unchanged images before the last stage's layers; None where there are none."""
        there = features is not None and features.has(self._cut, augmented=False)
        return features if there else None

    def _pooled(self, fitted):
        if self._cached(fitted.features) is None:
            return None
        activations = [fitted.features.read(self._cut, name) for name in (SAMPLE, "val")]
        if self._cut == POOLED:
            return [rows[:] for rows in activations]
        return [predict_rows(pooling(fitted.model, self._cut), part) for part in activations]

    def _evaluate(self, fitted, data):
        features = self._cached(fitted.features)
        with self._timed("prefix"):
            test_features = None if features is None else features.of(data.test, (self._cut,))
        with self._timed("evaluate"):
            self._tell_gap(fitted.model, fitted.features, data.fitted, fitted.validation.logits)
            train = self._logits(fitted.model, features, data.fitted, SAMPLE)
            test = self._logits(fitted.model, test_features, data.test, TEST)
            splits = [
                data.predictions(SAMPLE, train, split="train"),
                fitted.validation,
                data.predictions(TEST, test, split=TEST),
            ]
            pictures = {"train": data.pictures(SAMPLE), "val": data.pictures("val"), TEST: data.pictures(TEST)}
            notes = {"train": sample_note(data.fitted), TEST: self._held_note()}
            decided = self._decided(fitted, pictures["val"])
            assess(self.run, splits, kind=self.kind, pictures=pictures, notes=notes, **decided)

    def _decided(self, fitted, pictures):
        """What threshold and calibration are chosen by and compared with, as arguments of `assess`."""
        chosen = {"rule": self.config.threshold_rule, "decide_on": self.config.decide_on}
        if self.config.decide_on != SHIFTED:
            rows = rows_to_compare(fitted.validation)
            if not len(rows):
                return chosen
            chosen, pictures = chosen | {"rows": rows}, pictures.where(rows)
        forward = self._forward(fitted.model, fitted.features)
        return chosen | {"shifted": logits_of_draws(forward, pictures, batch=_BATCH)}

    def _forward(self, model, features):
        """Function images -> logits, as fast as training computed; it serves what no figure is made of."""
        if not self._precisions.lowered:
            forward = compiled(logits_model(model))
            return lambda images: forward(images)[0].numpy()
        return forward_as_trained(model, self._cut, features=features, precisions=self._precisions)

    def _tell_gap(self, model, features, images, logits):
        """Put on record how far probabilities of validation images are from those in the precision of training."""
        if not self._precisions.lowered:
            return
        rows = images.rows["val"][:GAP_IMAGES]
        forward = self._forward(model, features)
        trained = np.concatenate([forward(batch) for batch in images.images(rows).batch(_BATCH)])
        gap = float(np.abs(softmax(trained, axis=1) - softmax(logits[: len(rows)], axis=1)).max())
        self._precisions.note("gap", {"probability": gap, "images": len(rows)})
        log.info(
            "Precision: %s in training; what is saved and predicted is float32. Probabilities of %d validation images "
            "differ by at most %.2g.",
            " and ".join(self._precisions.lowered),
            len(rows),
            gap,
        )

    def _logits(self, model, features, images, name):
        """Logits of the unchanged images of one set, float32 (n,K), from their activations where there are any."""
        if features is None:
            batches = images.images(images.rows[name]).batch(_BATCH).prefetch(2)
            return predict_batches(logits_model(model), counted(batches, len(images.rows[name]), "Predictions"))
        return predict_rows(suffix(model, self._cut), features.read(self._cut, name))
