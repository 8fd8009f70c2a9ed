"""Methods of patches over images: a backbone, its activations, a fit, a model."""

import dataclasses
import logging

import keras
import numpy as np
import tensorflow as tf

from medxray.anomaly.patch_graph import build_backbone, build_patch_detector, patch_layers
from medxray.anomaly.patch_source import BATCH, NORMAL, PatchSource
from medxray.anomaly.score import RAW_SCORE
from medxray.models.classifier import load_classifier
from medxray.models.own_preprocessing import preprocessing_for
from medxray.models.weights import load_weights
from medxray.system import progress
from medxray.training.checkpoint import save_model
from medxray.training.dataset import SAMPLE

log = logging.getLogger(__name__)
_OTHERS = "others"  # training images that nothing is fitted on; the gate gets to know some of them


def initial_backbone(run, config):
    """The backbone with its weights: made and kept in the run (RunDir), or read from there.

    Raises:
        WeightsError: its weights cannot be had.
    """
    if run.initial_model_file.exists():
        return load_classifier(run.initial_model_file)
    form = {"image_size": config.image_size, "channels": config.channels}
    backbone = build_backbone(config.arch, **form, preprocessing=preprocessing_for(config.arch, config.weights))
    source = load_weights(backbone, config.arch, config.weights)
    if source.kind == "none":
        log.warning("The backbone is random (--weights none): expect poor results.")
    run.update_record(weights=dataclasses.asdict(source))
    save_model(backbone, run.initial_model_file)
    return backbone


class PatchTrainer:
    """Fits a method of patches, such as PaDiM, on normal images.

    Args:
        run: RunDir.
        config: resolved AnomalyConfig.
        images: image_set.ImageSet with the rows `train` (normal images alone), `val` and the sample of training images
            of all classes, which only `pooled` is for.
        fit: function (patches.Patches of the normal images) -> what `patch_graph.build_patch_detector` takes.
        images_at_once: function (model, most) -> how many images the model may take at a time; None: any number.

    Attributes:
        history: empty, since there are no epochs.
    """

    history = ()

    def __init__(self, run, config, images, *, fit, images_at_once=None):
        self._run, self._config = run, config
        self._fit, self._images_at_once = fit, images_at_once
        rows = {NORMAL: images.rows["train"], "val": images.rows["val"]}
        others = np.setdiff1d(images.rows[SAMPLE], rows[NORMAL])
        self._training = (NORMAL, _OTHERS) if len(others) else (NORMAL,)
        self._images = dataclasses.replace(images, rows=rows | ({_OTHERS: others} if len(others) else {}))
        self._source = self._head = None
        self._batch = BATCH

    def fit(self, timed):
        """Fit the method; `timed` is a function phase -> context manager. Returns the raw model."""
        with timed("model"):
            backbone = initial_backbone(self._run, self._config)
        with timed("prefix"):
            self._source = PatchSource(backbone, self._images, self._config)
        with timed("main"):
            fitted = self._fit(self._source.patches(NORMAL))
            scale, score = self._config.patch_scale, self._config.image_score
            names = patch_layers(self._config.arch)
            model = build_patch_detector(backbone, fitted, names=names, scale=scale, image_score=score)
        cuts = [model.get_layer(name).output for name in names]
        self._head = keras.Model(cuts, model.get_layer(RAW_SCORE).output)
        if self._images_at_once is not None:
            self._batch = self._images_at_once(model, BATCH)
        return model

    def best_so_far(self):
        """None: an interrupted fit leaves no model."""

    def raw_scores(self, images, name):
        """Raw scores of the rows `name` of an ImageSet, `val` of the own images or rows of others, float64 (n,)."""
        source = self._source if name in self._images.rows else self._source.of(images)
        head = tf.function(lambda tensors: self._head(tensors, training=False), reduce_retracing=True)
        batches = source.activations(name, batch=self._batch)
        batches = progress.counted(batches, len(images.rows[name]), "Anomaly scores", size=lambda parts: len(parts[0]))
        scores = [head([tf.constant(part) for part in activations]).numpy() for activations in batches]
        return np.concatenate(scores)[:, 0].astype(np.float64)

    def pooled(self, rows):
        """Pooled features of rows of training images and of rows of `val`, from their activations: two arrays (n,c)."""
        return [self._pooled(names, wanted) for names, wanted in zip((self._training, ("val",)), rows, strict=True)]

    def _pooled(self, names, wanted):
        known = np.concatenate([self._images.rows[name] for name in names])
        parts = (part for name in names for part in self._source.activations(name))
        means, order = np.concatenate([part[-1].mean(axis=(1, 2)) for part in parts]), np.argsort(known)
        return means[order[np.searchsorted(known, wanted, sorter=order)]]
