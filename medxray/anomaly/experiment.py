"""The training of an anomaly detector: normal images, a method, its scores and their unit."""

import dataclasses

import numpy as np

from medxray.anomaly.methods import METHODS
from medxray.anomaly.patch_trainer import initial_backbone
from medxray.anomaly.score import finish_detector
from medxray.data.layouts.labels import BY_NAME
from medxray.data.manifest import SPLITS
from medxray.errors import DataError
from medxray.evaluation.after_training import assess
from medxray.moved import names_of_old_module
from medxray.runs.directory import open_run
from medxray.runs.images import learned_digests
from medxray.training.dataset import SAMPLE, choose_manifest
from medxray.training.execution import interrupts_as_such
from medxray.training.fitted import FittedRun
from medxray.training.run_data import TEST
from medxray.training.trainer import Trainer

__getattr__ = names_of_old_module(__name__)
_MINIMUM = {"train": 8, "val_normal": 2}
_WORDS = {"train": "training", "val_normal": "validation"}


@dataclasses.dataclass(frozen=True, eq=False)
class FittedDetector(FittedRun):
    """A fitted detector.

    Attributes:
        method: what fitted it and scores images: the trainer of its row in `methods.METHODS`.
        unit: mean and deviation of the raw scores of normal validation images, dict.
    """

    method: object
    unit: dict


class DetectorTrainer(Trainer):
    """Trains an anomaly detector."""

    def fit(self, data):
        """Fit the detector; see `Trainer.fit`."""
        data = dataclasses.replace(data, fitted=_normals_set_apart(data.fitted))
        method = self._method(data.fitted)
        try:
            with interrupts_as_such():
                raw = method.fit(self._timed)
        except KeyboardInterrupt:
            self._save_best(method, data.fitted)
            raise
        with self._timed("scores"):
            scores = method.raw_scores(data.fitted, "val")
        unit = self._unit(scores, data.fitted)
        return FittedDetector(
            directory=self.run,
            config=self.config,
            trainer=self,
            data=data,
            model=finish_detector(raw, **unit),
            history=method.history,
            validation=data.predictions("val", _logits(scores, unit), split="val"),
            method=method,
            unit=unit,
        )

    def _choose(self):
        manifest = choose_manifest(self.config, normal=self.config.normal or BY_NAME)
        if self.config.backbone is not None:
            _check_backbone(manifest, open_run(self.config.backbone))
        return manifest

    def _prepare(self, manifest):
        if METHODS[self.config.method].has_backbone:
            with self._timed("model"):
                initial_backbone(self.run, self.config)
            self._check_space()

    def _learned(self, manifest):
        return manifest.classes[:1]

    def _method(self, images):
        return METHODS[self.config.method].trainer(self.run, self.config, images, self.listeners)

    def _unit(self, scores, images):
        """Mean and deviation of the raw scores of normal validation images, on record; deviation 1 if they are equal.

        Args:
            scores: raw scores of the rows `val`.
            images: image_set.ImageSet.
        """
        normal = scores[images.labels[images.rows["val"]] == 0]
        unit = {"mean": float(normal.mean()), "deviation": float(normal.std()) or 1.0}
        self.run.update_record(anomaly={"fitted_on": len(images.rows["train"]), "raw_score_of_normals": unit})
        return unit

    def _save_best(self, method, images):
        """After Ctrl-C: leave the best epoch so far as a usable model, where the method has epochs."""
        model = method.best_so_far()
        if model is not None:
            self._publish(finish_detector(model, **self._unit(method.raw_scores(images, "val", model), images)))

    def _pooled(self, fitted):
        rows = fitted.data.fitted.rows
        return fitted.method.pooled((rows[SAMPLE], rows["val"]))

    def _evaluate(self, fitted, data):
        with self._timed("scores"):
            scores = fitted.method.raw_scores(data.test, TEST)
        with self._timed("evaluate"):
            test = data.predictions(TEST, _logits(scores, fitted.unit), split=TEST)
            splits = (fitted.validation, test)
            pictures = {part.split: data.pictures(part.split) for part in splits}
            notes = {TEST: self._held_note()}
            assess(self.run, splits, kind=self.kind, rule=self.config.threshold_rule, pictures=pictures, notes=notes)


def _check_backbone(manifest, backbone):
    """Raise DataError when the backbone's run (RunDir) has learned images that are to be new to it.

    Test images must not be among its training or validation images. Validation images, which choose threshold and
    calibration, must not be among its training images. An image that is in an earlier split here as well is another
    matter: reading the data reports duplicates.
    """
    own = {split: set(manifest.subset(split).content_digests()) for split in SPLITS}
    for split, known, earlier in (("test", "training or validation", SPLITS[:2]), ("val", "training", SPLITS[:1])):
        seen = (own[split] & learned_digests(backbone, earlier)).difference(*(own[name] for name in earlier))
        if seen:
            raise DataError(
                f"{len(seen)} of {len(own[split])} {split} images are {known} images of the backbone. "
                f"Use its split: --split-file {backbone.split_file}"
            )


def _normals_set_apart(images):
    """The same images; `train` holds the normal ones alone, `val_normal` those of validation."""
    rows = dict(images.rows)
    rows["train"] = rows["train"][images.labels[rows["train"]] == 0]
    rows["val_normal"] = rows["val"][images.labels[rows["val"]] == 0]
    for name, least in _MINIMUM.items():
        if len(rows[name]) < least:
            raise DataError(
                f"An anomaly run needs at least {least} normal images for {_WORDS[name]}. Received {len(rows[name])}. "
                "Add normal images, raise --limit, or give --split-file."
            )
    return dataclasses.replace(images, rows=rows)


def _logits(scores, unit):
    """Raw scores (n,) -> logits (n,2): 0 for normal and the score for abnormal."""
    values = (scores - unit["mean"]) / unit["deviation"]
    return np.stack([np.zeros_like(values), values], axis=1)
