"""The run of an anomaly detector: normal images, a method, scores, evaluation, export; started or resumed."""

import dataclasses
import logging

import numpy as np

from medxray.anomaly.methods import METHODS
from medxray.anomaly.score import finish_detector
from medxray.data.layouts.labels import BY_NAME
from medxray.data.manifest import SPLITS
from medxray.errors import DataError
from medxray.evaluation.after_training import assess
from medxray.evaluation.pictures import Pictures, predictions_of
from medxray.runs.directory import open_run
from medxray.runs.images import learned_digests
from medxray.training.dataset import SAMPLE, choose_manifest, decode_manifest
from medxray.training.execution import interrupts_as_such
from medxray.training.steps import Steps

log = logging.getLogger(__name__)
_MINIMUM = {"train": 8, "val_normal": 2}
_WORDS = {"train": "training", "val_normal": "validation"}


class AnomalyExperiment(Steps):
    """The steps of an anomaly run, in order."""

    def go(self):
        """Run every step; the record says "completed" only after the last one."""
        with self._timed("data"):
            manifest, images = self._data()
            images = _normals_set_apart(images)
        method = self._method(images)
        try:
            with interrupts_as_such():
                raw = method.fit(self._timed)
        except KeyboardInterrupt:
            self._save_best(method, images)
            raise
        with self._timed("scores"):
            scores = {split: method.raw_scores(split) for split in ("val", "test")}
        unit = self._unit(scores["val"], images)
        model = finish_detector(raw, **unit)
        self._publish(model)
        rows = (images.rows[SAMPLE], images.rows["val"])
        self._fit_gate(model, images, rows=rows, pooled=method.pooled(rows))
        with self._timed("evaluate"):
            self._assess(manifest, images=images, logits=_logits(scores, unit))
        if self.config.export:
            with self._timed("export"):
                self._export()
        self._finish()

    def _choose(self):
        manifest = choose_manifest(self.config, normal=self.config.normal or BY_NAME)
        if self.config.backbone is not None:
            _check_backbone(manifest, open_run(self.config.backbone))
        return manifest

    def _decode(self, manifest):
        return decode_manifest(manifest, self.config, learned=manifest.classes[:1])

    def _method(self, images):
        return METHODS[self.config.method].trainer(self.run, self.config, images)

    def _unit(self, scores, images):
        """Mean and deviation of the raw scores of normal validation images, on record; deviation 1 if they are equal.

        Args:
            scores: raw scores of the rows `val`.
            images: features.ImageSet.
        """
        normal = scores[images.labels[images.rows["val"]] == 0]
        unit = {"mean": float(normal.mean()), "deviation": float(normal.std()) or 1.0}
        self.run.update_record(anomaly={"fitted_on": len(images.rows["train"]), "raw_score_of_normals": unit})
        return unit

    def _save_best(self, method, images):
        """After Ctrl-C: leave the best epoch so far as a usable model, where the method has epochs."""
        model = method.best_so_far()
        if model is not None:
            self._publish(finish_detector(model, **self._unit(method.raw_scores("val", model), images)))

    def _assess(self, manifest, *, images, logits):
        splits = [_predictions(manifest, images, rows, split=split) for split, rows in logits.items()]
        pictures = {split: Pictures(images.source, images.rows[split]) for split in logits}
        assess(self.run, splits, kind=self.kind, rule=self.config.threshold_rule, pictures=pictures)


def _check_backbone(manifest, backbone):
    """Raise DataError when the backbone's run (RunDir) has learned images that are to be new to it.

    Test images must not be among its training or validation images. Validation images, which choose threshold and
    calibration, must not be among its training images. An image that is in an earlier split here as well is another
    matter: duplicates are told of when the data is read.
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
    """Raw scores (n,) of each split -> logits (n,2): 0 for normal and the score for abnormal."""
    values = {split: (raw - unit["mean"]) / unit["deviation"] for split, raw in scores.items()}
    return {split: np.stack([np.zeros_like(value), value], axis=1) for split, value in values.items()}


def _predictions(manifest, images, logits, *, split):
    chosen = np.zeros(len(manifest), bool)
    chosen[images.rows[split]] = True
    return predictions_of(manifest.where(chosen), logits, split=split)
