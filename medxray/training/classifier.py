"""The run of a classifier: data, model, stages, evaluation, export; started or resumed."""

import contextlib
import dataclasses
import logging

import keras
import numpy as np
import tensorflow as tf

from medxray.evaluation.after_training import assess
from medxray.evaluation.pictures import Pictures, predictions_of
from medxray.models.classifier import build_classifier, load_classifier, pooling, suffix
from medxray.models.heads import POOLED
from medxray.models.inference import logits_model, predict_batches, predict_rows
from medxray.models.weights import load_weights
from medxray.training import stages
from medxray.training.dataset import SAMPLE, choose_manifest, sample_note
from medxray.training.execution import interrupts_as_such
from medxray.training.losses import balanced_class_weights
from medxray.training.modes import plan_stages
from medxray.training.objectives import classification
from medxray.training.steps import Steps, save_model

log = logging.getLogger(__name__)


@contextlib.contextmanager
def _precision(config):
    before = keras.config.dtype_policy()
    if config.mixed_precision:
        policy = "mixed_float16" if tf.config.list_physical_devices("GPU") else "mixed_bfloat16"
        log.info("Mixed precision: %s.", policy)
        keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


class Experiment(Steps):
    """The steps of a classifier's run, in order."""

    def go(self):
        """Run every step; the record says "completed" only after the last one."""
        with _precision(self.config):
            self._go()

    def _go(self):
        with self._timed("data"):
            manifest, images = self._data()
        with self._timed("model"):
            model = self._model(manifest)
        try:
            with interrupts_as_such():
                features, position = self._train(model, images)
        except KeyboardInterrupt:
            self._save_best(manifest)
            raise
        if self.config.mixed_precision:
            model, features = self._in_float32(model, manifest), None  # cached activations are of lower precision
        self._publish(model)
        rows = [images.rows[name] for name in (SAMPLE, "val")]
        self._fit_gate(model, images, rows=rows, pooled=self._pooled(model, features))
        with self._timed("evaluate"):
            self._assess(model, manifest, images=images, features=features)
        self.run.update_record(best_epoch=position.best_epoch)
        if self.config.export:
            with self._timed("export"):
                self._export()
        self._finish()

    def _choose(self):
        return choose_manifest(self.config, positive=self.config.positive)

    def _model(self, manifest):
        if self.run.initial_model_file.exists():
            return load_classifier(self.run.initial_model_file)
        config = self.config
        model = self._untrained(manifest)
        source = load_weights(model, config.arch, config.weights)
        if source.kind == "none" and config.mode != "scratch":
            log.warning("The frozen layers are random (--weights none): expect poor results in mode %s.", config.mode)
        self.run.update_record(weights=dataclasses.asdict(source))
        save_model(model, self.run.initial_model_file)
        return model

    def _untrained(self, manifest):
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
        )

    def _in_float32(self, model, manifest):
        """The same weights in a float32 graph: what is saved must not depend on the trainer's hardware."""
        keras.config.set_dtype_policy("float32")
        whole = self._untrained(manifest)
        whole.set_weights(model.get_weights())
        return whole

    def _train(self, model, images):
        classes = model.output_shape[-1]
        weights = np.ones(classes, np.float32)
        if self.config.class_weights == "balanced":
            weights = balanced_class_weights(images.labels[images.rows["train"]], classes)
        names = self.run.read_record()["data"]["classes"]
        shown = (f"{name} {weight:.3f}" for name, weight in zip(names, weights, strict=True))
        log.info("Class weights: %s.", ", ".join(shown))
        plan = plan_stages(self.config)
        with self._timed("prefix"):
            features = stages.build_features(model, plan, images=images, config=self.config)
        work = stages.Work(
            model=model,
            plan=plan,
            images=images,
            features=features,
            weights=weights[images.labels],
            config=self.config,
            run=self.run,
            objective=classification(classes),
            l2=self.config.l2,
        )
        return features, stages.train_stages(work, self._timed)

    def _save_best(self, manifest):
        """After Ctrl-C: leave the best epoch so far as a usable model, from files alone: the live one is mid-epoch."""
        if not self.run.state_file.exists():
            return
        model = self._model(manifest)
        stages.load_best(model, plan_stages(self.config), self.run)
        self._publish(self._in_float32(model, manifest) if self.config.mixed_precision else model)

    def _assess(self, model, manifest, *, images, features):
        chosen = {"train": SAMPLE, "val": "val", "test": "test"}
        splits = [self._predictions(model, manifest, (images, features), named=pair) for pair in chosen.items()]
        pictures = {split: Pictures(images.source, images.rows[rows]) for split, rows in chosen.items()}
        notes, rule = {"train": sample_note(images)}, self.config.threshold_rule
        assess(self.run, splits, kind=self.kind, rule=rule, pictures=pictures, notes=notes)

    def _pooled(self, model, features):
        """Pooled features of the unchanged images of the training sample and of val, from the cache; None without."""
        if features is None:
            return None
        cut = plan_stages(self.config)[-1].cut
        activations = [features.read(cut, name) for name in (SAMPLE, "val")]
        return activations if cut == POOLED else [predict_rows(pooling(model, cut), part) for part in activations]

    def _predictions(self, model, manifest, data, *, named):
        """Predictions of the unchanged images of one set: `named` is (name of the split, name of the rows)."""
        (images, features), (split, name) = data, named
        rows = images.rows[name]
        if features is not None:
            cut = plan_stages(self.config)[-1].cut
            logits = predict_rows(suffix(model, cut), features.read(cut, name))
        else:
            logits = predict_batches(logits_model(model), images.images(rows).batch(32).prefetch(2))
        chosen = np.zeros(len(manifest), bool)
        chosen[rows] = True
        return predictions_of(manifest.where(chosen), logits, split=split)
