"""A trained anomaly run: scores and maps of images, beside all that a trained run can be asked for."""

import dataclasses
import math
from functools import cached_property
from itertools import islice
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from medxray.anomaly.autoencoder import PLAIN_MSE
from medxray.anomaly.card import PLAIN_MSE_AUROC
from medxray.anomaly.displays import AnomalyScoresDisplay
from medxray.anomaly.figures import AnomalyMap, maps_figure, shown_rows
from medxray.anomaly.methods import METHODS
from medxray.anomaly.score import MAP, RECONSTRUCTION, SCORE
from medxray.data.image_stream import images_of
from medxray.data.layouts.labels import ABNORMAL
from medxray.errors import ConfigError, RunError
from medxray.metrics.decision import DEFAULT_POINT, Decision
from medxray.metrics.report import evaluate_split
from medxray.models.heads import LOGITS, POOLED
from medxray.models.inference import compiled, predict_batches
from medxray.models.registry import architecture
from medxray.plots import style
from medxray.predict.inputs import expand_inputs, path_of
from medxray.predict.outcomes import batch_outcomes, collect
from medxray.runs.truth import true_labels
from medxray.system import progress
from medxray.trained_run import Run

NOTE = (
    "The detector was fitted on normal images alone. Threshold and calibration, unless they are fixed, were chosen "
    "with labelled validation images, normal and abnormal."
)
_BATCH = 64
_LABELLED = " The backbone is that of a classifier's run, which was trained with labels."


def plain_figures(model, predictions, pictures):
    """What an autoencoder is compared with in every report: the plain mean squared error of its reconstructions.

    Args:
        model: keras.Model with the layer `plain_mse`; another gives nothing.
        predictions: Predictions of a split.
        pictures: evaluation.pictures.Pictures of the same rows.

    Returns:
        dict: "plain_mse_auroc", with value and ci95; empty for the model of another method.
    """
    if PLAIN_MSE not in {layer.name for layer in model.layers}:
        return {}
    part = keras.Model(model.input, model.get_layer(PLAIN_MSE).output)
    batches = progress.counted(pictures.batches(_BATCH), len(pictures), "Reconstruction errors")
    errors = predict_batches(part, batches)[:, 0].astype(np.float64)
    compared = dataclasses.replace(predictions, logits=np.stack([np.zeros_like(errors), errors], axis=1))
    return {PLAIN_MSE_AUROC: evaluate_split(compared, Decision(DEFAULT_POINT))["auroc"]}


class Detector(Run):
    """A trained anomaly run.

    Args:
        directory: runs.directory.RunDir.
        kind: its run_kinds.RunKind.
    """

    @property
    def notes(self):
        """The remark that belongs to every evaluation."""
        return (NOTE + _LABELLED,) if self.record["config"].get("backbone") else (NOTE,)

    def _read_architecture(self, config):
        self.method = config["method"]
        if self.method not in METHODS:
            raise ValueError(f"method {self.method!r}")
        return None if config["arch"] is None else architecture(config["arch"])

    @cached_property
    def batch(self):
        """Images that the model takes at a time; few where the memory bank is large."""
        return METHODS[self.method].images_at_once(self.model, super().batch)

    @property
    def normal(self):
        """The normal class where all others count as one, else None."""
        return self.classes[0] if self.positive == ABNORMAL else None

    def _check_model(self, model):
        expected = (None, *self.input_size, self.channels)
        layers = {layer.name for layer in model.layers}
        if model.input_shape != expected or not {SCORE, MAP} <= layers:
            raise RunError(
                f"{self.directory.model_file} is not the detector that run.json describes. The files do not belong "
                "together: train the run again."
            )

    def check_maps(self):
        """A detector has anomaly maps."""

    def check_gradcam(self):
        """Raise ConfigError: an anomaly detector has maps of its own."""
        raise ConfigError(f"{self.path} is an anomaly run; Grad-CAM is for classifiers. Use: medxray anomaly map")

    def _table(self, files, logits, *, errors):
        frame = super()._table(files, logits, errors=errors)
        score = np.where(frame["error"] == "", logits[:, 1].astype(np.float64), np.nan)
        frame.insert(frame.columns.get_loc("threshold") + 1, "score", score)
        return frame

    @property
    def score_threshold(self):
        """The score from which an image is called abnormal, float; see `Run.decision` for the probability."""
        calibration = self.decision.calibration
        normal, abnormal = calibration.biases(2)
        return float(calibration.temperature * (self.decision.threshold.log_odds + normal - abnormal))

    def maps(self, paths):
        """Scores and maps of files, folders, globs and bytes.

        Returns:
            (list of AnomalyMap, dict path -> reason of each image that cannot be read).
        """
        return collect(self.iterate_maps(paths))

    def iterate_maps(self, paths):
        """Yield a predict.outcomes.Outcome with the AnomalyMap of each image, as soon as it is known."""
        images = expand_inputs(paths)
        truths = iter(true_labels(self, images))
        batches = self.form.stream(images, self.batch)
        for batch in progress.counted(batches, len(images), "Anomaly maps", size=images_of):
            known = batch.of_readable(islice(truths, len(batch.images)))
            yield from batch_outcomes(batch, *self._mapped(batch.readable(), known))

    def _mapped(self, batch, truths):
        """(AnomalyMaps, list of why the gate refuses each) of the images of a batch, all of them readable."""
        if not batch.images:
            return [], []
        pixels = tf.constant(batch.pixels, tf.float32)
        pooled, *outputs = self._seen(pixels)
        files = map(path_of, batch.images)
        maps = map(self._map, files, batch.pixels, truths, zip(*(output.numpy() for output in outputs), strict=True))
        return maps, self.refusals(pixels, pooled)

    @cached_property
    def _seen(self):
        """The compiled model: images -> pooled features, anomaly map, logits and, if there is one, reconstruction."""
        has = {layer.name for layer in self.model.layers}
        names = [POOLED, MAP, LOGITS, *({RECONSTRUCTION} & has)]
        part = keras.Model(self.model.input, [self.model.get_layer(name).output for name in names])
        return compiled(part, fold=False)  # a distance near 0 makes much of rounding

    def _outputs(self, pixels):
        """Map, logits and reconstruction that `_seen` gives for uint8 pixels (n,H,W,C): list of arrays (n,...)."""
        starts = range(0, len(pixels), self.batch)
        parts = [self._seen(pixels[start : start + self.batch].astype(np.float32))[1:] for start in starts]
        return [np.concatenate(part) for part in zip(*parts, strict=True)]

    def _map(self, file, pixels, truth, outputs):
        anomaly_map, logits, *rebuilt = outputs
        probabilities = self.decision.calibration.probabilities(logits[None])
        return AnomalyMap(
            file=file,
            pixels=pixels,
            anomaly_map=anomaly_map,
            reconstruction=rebuilt[0] if rebuilt else None,
            score=float(logits[1]),
            probability=float(probabilities[0, 1]),
            label=self.classes[self.decision.labels(logits[None])[0]],
            true_label=truth,
        )

    def reference_maps(self, images):
        """The maps computed in another way, such as PatchCore's by scikit-learn; None where the method has none.

        Args:
            images: float32 tensor (n,H,W,C), 0-255.

        Returns:
            float64 array (n,h,w), or None.
        """
        return METHODS[self.method].reference_maps(self.model, images)

    def further_figures(self, predictions, pictures):
        """The AUROC of the plain mean squared error of an autoencoder, see `plain_figures`."""
        return plain_figures(self.model, predictions, pictures)

    def draw(self, folder, predictions, pictures):
        """Draw the scores by class, and the maps of images of low, middle and high score of each class.

        Args:
            folder: pathlib.Path for `<split>_anomaly_scores.png` and `<split>_anomaly_maps.png`.
            predictions: Predictions of the split.
            pictures: evaluation.pictures.Pictures of the same rows.
        """
        if not len(predictions):
            return
        scope = {"split": predictions.split, "n": len(predictions), "n_patients": predictions.n_patients}
        threshold = self.score_threshold if math.isfinite(self.score_threshold) else None
        display = AnomalyScoresDisplay.from_predictions(predictions, threshold, report=scope)
        style.save(display.plot(), Path(folder) / f"{predictions.split}_anomaly_scores.png")
        rows = shown_rows(predictions)
        pixels = np.stack([_deep(pictures.thumbnail(row)) for row in rows])
        truths = [predictions.classes[predictions.y_true[row]] for row in rows]
        files = [Path(predictions.paths[row]) for row in rows]
        found = list(map(self._map, files, pixels, truths, zip(*self._outputs(pixels), strict=True)))
        title = f"Anomaly maps: images of low, middle and high score of each class\n{style.scope(scope)}"
        figure = maps_figure(found, unit=METHODS[self.method].unit, title=title)
        style.save(figure, Path(folder) / f"{predictions.split}_anomaly_maps.png")


def _deep(pixels):
    return pixels[..., None] if pixels.ndim == 2 else pixels
