"""A whole training run: data, model, stages, evaluation, export; started or resumed."""

import contextlib
import dataclasses
import logging
import shutil
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from medxray import storage
from medxray.assessment import Pictures, assess, predictions_of
from medxray.data.manifest import read_split_csv, write_split_csv
from medxray.errors import MedxrayError, RunError, TrainingError
from medxray.export import export_model
from medxray.inference import logits_model, predict_batches, predict_rows
from medxray.models.classifier import build_classifier, load_classifier, suffix
from medxray.models.weights import load_weights
from medxray.runs import command_line, create_run, finish_replacing, open_run, point_latest, undo_replacing
from medxray.trained import Run
from medxray.training import stages
from medxray.training.config import config_from_dict
from medxray.training.dataset import SAMPLE, choose_manifest, content_table, data_record, decode_manifest, sample_note
from medxray.training.losses import balanced_class_weights
from medxray.training.modes import plan_stages

log = logging.getLogger(__name__)
def start_run(config):
    """Train a new run as `config` says and return its RunDir; see `medxray.train`."""
    config = config.resolved().anchored()
    run = create_run(
        config.runs_dir, config.name, overwrite=config.overwrite, config=config.to_dict(), command=command_line()
    )
    log.info("Run %s", run.path)
    return _execute(run, dataclasses.replace(config, name=run.name))


def resume_run(path):
    """Go on with a run that was interrupted, and return its RunDir.

    Raises:
        RunError: there is no such run, or it is complete.
    """
    run = open_run(path)
    record = run.read_record()
    if record["state"] == "completed":
        raise RunError(f"{run.path} is complete; there is nothing to resume. Train a new run instead.")
    log.info("Resuming %s", run.path)
    run.update_record(state="running")
    return _execute(run, config_from_dict(record["config"], source=str(run.record_file)))


def _execute(run, config):
    _seed(config)
    with run.in_use():
        try:
            with _interrupts_as_such(), _precision(config):
                Experiment(run, config).go()
        except KeyboardInterrupt:
            run.update_record(state="interrupted")
            usable = "The best epoch so far can be used. " if run.model_file.exists() else ""
            log.warning("Interrupted. %sGo on with: medxray train --resume %s", usable, run.path)
            raise
        except tf.errors.ResourceExhaustedError as error:
            _record_failure(run, error)
            raise TrainingError("Out of memory. Lower --batch-size or --image-size.") from error
        except BaseException as error:  # whatever it was, the run is not complete
            _record_failure(run, error)
            raise
    return run


@contextlib.contextmanager
def _interrupts_as_such():
    """Ctrl-C inside a TensorFlow call may surface as a RuntimeError that only names it; make it KeyboardInterrupt."""
    try:
        yield
    except RuntimeError as error:
        if "KeyboardInterrupt" in str(error):
            raise KeyboardInterrupt from error
        raise


def _record_failure(run, error):
    with contextlib.suppress(MedxrayError):  # the disk may be full; the first error is the one to tell
        run.update_record(state="failed", error=str(error))
        undo_replacing(run)


def _seed(config):
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()


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


class Experiment:
    """The steps of one run, in order; each leaves its result on disk."""

    def __init__(self, run, config):
        self.run, self.config = run, config
        self._seconds = dict(run.read_record().get("seconds", {}))

    @contextlib.contextmanager
    def _timed(self, phase):
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[phase] = round(self._seconds.get(phase, 0.0) + time.perf_counter() - begin, 2)
            with contextlib.suppress(MedxrayError):  # an error inside the block is the one to tell
                self.run.update_record(seconds=self._seconds)

    def go(self):
        """Run every step; the record says "completed" only after the last one."""
        with self._timed("data"):
            manifest, images = self._data()
        with self._timed("model"):
            model = self._model(manifest)
        try:
            with _interrupts_as_such():
                features, position = self._train(model, images)
        except KeyboardInterrupt:
            self._save_best(manifest)
            raise
        if self.config.mixed_precision:
            model, features = self._in_float32(model, manifest), None  # cached activations are of lower precision
        self._publish(model)
        with self._timed("evaluate"):
            self._assess(model, manifest, images=images, features=features)
        self.run.update_record(best_epoch=position.best_epoch)
        if self.config.export:
            with self._timed("export"):
                self._export()
        self._finish()

    def _data(self):
        if self.run.split_file.exists():
            data = self.run.read_record()["data"]
            manifest = read_split_csv(
                self.run.split_file,
                root=data["root"],
                task=data["task"],
                classes=data["classes"],
                positive=data["positive"],
            )
            return decode_manifest(manifest, self.config)
        manifest, images = decode_manifest(choose_manifest(self.config), self.config)
        log.info("%s", _split_table(manifest))
        self.run.update_record(data=data_record(manifest, self.config), device=_device())
        storage.write_csv(self.run.content_file, content_table(manifest))
        write_split_csv(manifest, self.run.split_file)
        return manifest, images

    def _model(self, manifest):
        if self.run.initial_model_file.exists():
            return load_classifier(self.run.initial_model_file)
        config = self.config
        model = self._untrained(manifest)
        source = load_weights(model, config.arch, config.weights)
        if source.kind == "none" and config.mode != "scratch":
            log.warning("The frozen layers are random (--weights none): expect poor results in mode %s.", config.mode)
        self.run.update_record(weights=dataclasses.asdict(source))
        _save_model(model, self.run.initial_model_file)
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
        log.info("Class weights: %s.", ", ".join(f"{name} {weight:.3f}" for name, weight in zip(names, weights)))
        plan = plan_stages(self.config)
        with self._timed("prefix"):
            features = stages.build_features(model, plan, images=images, config=self.config)
        return features, stages.train_stages(
            stages.Work(model, plan, images, features, weights[images.labels], self.config, self.run), self._timed
        )

    def _publish(self, model):
        _save_model(model, self.run.model_file)
        finish_replacing(self.run)
        point_latest(self.run)

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
        assess(
            self.run, splits, rule=self.config.threshold_rule, pictures=pictures, notes={"train": sample_note(images)}
        )

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

    def _export(self):
        result = export_model(Run(self.run), Path(self.config.saved_models_dir) / self.run.name)
        self.run.update_record(export=str(result.path))

    def _finish(self):
        self.run.update_record(state="completed", seconds=self._seconds)
        shutil.rmtree(self.run.state_file.parent)
        log.info("Finished in %.0f s: %s", sum(self._seconds.values()), self.run.path)


def _save_model(model, path):
    with storage.atomic_path(path) as file:
        model.save(file)


def _split_table(manifest):
    """Images and patients per split and class, as the text of a small table."""
    counts = manifest.counts()
    lines = ["Split  " + "".join(f"{name:>24}" for name in manifest.classes)]
    for split, part in counts.groupby("split", sort=False):
        cells = [f"{row.images} ({row.patients} patients)" for row in part.itertuples()]
        lines.append(f"{split:<7}" + "".join(f"{cell:>24}" for cell in cells))
    return "\n".join(lines)


def _device():
    gpus = tf.config.list_physical_devices("GPU")
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
    return ", ".join(names) or "CPU"
