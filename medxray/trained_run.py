"""A trained run: its model, its decision, and what can be asked of them."""

import logging
from functools import cached_property

import numpy as np
import tensorflow as tf

from medxray.data.image_stream import images_of
from medxray.errors import ConfigError
from medxray.evaluation.pictures import Pictures, predictions_of
from medxray.explain.explainable import Explainable
from medxray.gate import verdicts
from medxray.gate.appearance import appearance_of
from medxray.gate.parts import read_gate
from medxray.models.classifier import embedder
from medxray.models.heads import POOLED
from medxray.models.inference import compiled, logits_model, predict_batches, trunk
from medxray.predict.features import FeatureCollector
from medxray.predict.inputs import expand_inputs
from medxray.predict.table import answer_table
from medxray.predict.unsure import abstain_point, with_unsure
from medxray.report.reportable import Reportable
from medxray.runs.stored_run import StoredRun
from medxray.system import progress

log = logging.getLogger(__name__)


class Run(Explainable, Reportable, StoredRun):
    """A trained run: its model and what belongs to it.

    Args:
        directory: runs.directory.RunDir.
        kind: its run_kinds.RunKind.

    Attributes:
        notes: remarks that belong to every evaluation of a run of this kind.
        batch: images that the model takes at a time.
        normal: the class against which all others count as one; None where every class is one of its own.
    """

    notes = ()
    batch = 32
    normal = None

    def __init__(self, directory, kind):
        super().__init__(directory)
        self.kind = kind

    @cached_property
    def gate(self):
        """The input gate (gate.parts.Gate) of the run, or None where it has none."""
        file = self.directory.gate_file
        return read_gate(file, features=self.feature_size) if file.exists() else None

    @property
    def feature_size(self):
        """Length of the pooled features."""
        return self.model.get_layer(POOLED).output.shape[-1]

    @cached_property
    def _judge(self):
        """The compiled gate, see `gate.verdicts.judge_of`; None, with a warning, where the run has none."""
        if self.gate is None:
            log.warning(
                "%s has no input gate: images unlike its training images are not noticed. Fit one with: medxray gate "
                "%s",
                self.name,
                self.path,
            )
            return None
        return verdicts.judge_of(self.gate, size=self.input_size, channels=self.channels)

    @cached_property
    def _forward(self):
        return compiled(self._network())

    def _network(self):
        """The model cut for predictions; its outputs are logits (N,K), pooled features (N,c), and what a kind has."""
        return trunk(self.model)

    def predict(self, paths, *, gate="warn", abstain=None):
        """Predict images.

        Args:
            paths: files, folders, glob patterns and bytes, see `predict.inputs.expand_inputs`.
            gate: "warn" judges every image, "refuse" also makes an error of those that the gate refuses, "off" judges
                none. The log says so where the run has no gate.
            abstain: error among answered patients that is to be kept, 0-1; None: every image is answered.

        Returns:
            pandas.DataFrame, one row per file: path, label, probability (calibrated; of the positive class, or of
            the label with three or more classes), raw_probability (the same, not calibrated), threshold (nan with
            three or more classes), error (empty, or why the file could not be read or is refused: the others are then
            empty), one calibrated `probability_<class>` per class; with `abstain`, answered (bool; None where there is
            an error) and prediction_set (tuple of class names); and, where images were judged, gate_score,
            in_distribution (bool; None where the file could not be read) and gate_reason.

        Raises:
            ConfigError: `gate` is another word, or the error cannot be kept.
            RunError: `abstain` is given for an adapted run, or one of a version that did not compute it.
            DataError: a folder or pattern holds no image.
        """
        return self.predict_with_features(paths, gate=gate, abstain=abstain)[0]

    def predict_with_features(self, paths, *, gate="warn", abstain=None):
        """Predict images and keep the pooled features that the same pass gives.

        Args:
            paths: as for `predict`.
            gate: as for `predict`.
            abstain: as for `predict`.

        Returns:
            (the table of `predict`, ImageFeatures of the images that can be read).

        Raises:
            ConfigError, RunError, DataError: as for `predict`.
        """
        verdicts.check_answer(gate)
        whose = {"path": self.path, "origin": self.adapted_from}
        point = None if abstain is None else abstain_point(self.unsure, abstain, **whose)
        images = expand_inputs(paths)
        judge = None if gate == "off" else self._judge
        outputs, answers, errors, found = [], [], [], FeatureCollector(self.feature_size)
        batches = self.form.stream(images, self.batch, digests=True)
        for batch in progress.counted(batches, len(images), "Predictions", size=images_of):
            pixels = tf.constant(batch.pixels, tf.float32)
            logits, pooled, *further = self._forward(pixels)
            outputs.append([output.numpy() for output in (logits, *further)])
            errors += batch.reasons
            found.add(batch, pooled.numpy())
            if judge:
                answers.append(judge(pixels, pooled))
        shown = verdicts.refusals(answers, errors) if gate == "refuse" and judge else errors
        logits, *further = map(np.concatenate, zip(*outputs, strict=True))
        table = self._table(images, logits, *further, errors=shown)
        if point is not None:
            facts = {"unsure": self.unsure, "decision": self.decision, "classes": self.classes}
            table = with_unsure(table, logits, point, **facts)
        return verdicts.with_verdicts(table, answers, errors) if judge else table, found.collected()

    def refusals(self, images, pooled):
        """Why the gate refuses each of some images; "" where it does not, and without a gate.

        Args:
            images: float32 tensor (n,H,W,C), 0-255.
            pooled: float32 tensor (n,c), their pooled features.

        Returns:
            list of n texts.
        """
        accepted = [""] * len(images)
        return verdicts.refusals([self._judge(images, pooled)], accepted) if self._judge else accepted

    def appearance(self, pictures):
        """How like the training images some evaluation.pictures.Pictures are: gate.appearance.Appearance, or None.

        It is None, with a warning, where the run has no gate.
        """
        if self._judge is None:
            return None
        parts = {"forward": self._forward, "judge": self._judge, "gate": self.gate}
        return appearance_of(pictures, batch=self.batch, **parts)

    def _table(self, files, logits, *, errors):
        names = {"classes": self.classes, "positive": self.positive, "decision": self.decision}
        return answer_table(files, logits, errors, **names)

    def check_gradcam(self):
        """Raise ConfigError where Grad-CAM makes no sense for this kind of run."""

    def check_maps(self):
        """Raise ConfigError where this kind of run has no anomaly maps."""
        raise ConfigError(f"{self.path} is a classifier's run and has no anomaly map. Use: medxray gradcam")

    def further_figures(self, predictions, pictures):
        """Figures that this kind of run has in every report besides those of a classifier: none, dict."""
        return {}

    def plot(self, kind, *, split=None):
        """A plot of what the run holds, a matplotlib Figure that Jupyter shows; see `report.plots_of_run.plot_of`."""
        from medxray.report.plots_of_run import plot_of

        return plot_of(self.path, kind, split=split)

    def draw(self, folder, predictions, pictures):
        """Draw what this kind of run shows beside the plots of every evaluation: nothing for a classifier."""

    def evaluate(self, manifest, *, split="test", shifts=False):
        """Evaluate a manifest with the stored decision; see `medxray.evaluation.evaluate.evaluate_manifest`."""
        from medxray.evaluation.evaluate import evaluate_manifest

        return evaluate_manifest(self, manifest, split=split, shifts=shifts)

    def write_evaluation(self, data=None, *, split="test", **how):
        """Evaluate a split of the run, or other data; see `medxray.evaluation.evaluate.write_evaluation`."""
        from medxray.evaluation.evaluate import write_evaluation

        return write_evaluation(self, data, split=split, **how)

    def export(self, to=None, *, methods=None, options=()):
        """Write the run as a SavedModel, checked against it; see `medxray.export.export_model`."""
        from medxray.export import export_model

        return export_model(self, to, methods=methods, options=options)

    def refit_gate(self):
        """Fit the input gate again on the run's own images; see `medxray.gate.run_gate.refit`."""
        from medxray.gate.run_gate import refit

        self.gate = refit(self)
        self._judge = verdicts.judge_of(self.gate, size=self.input_size, channels=self.channels)
        return self.gate

    def refit_unsure(self, **how):
        """Compute prediction sets and abstention again; see `medxray.evaluation.unsure.refit`."""
        from medxray.evaluation.unsure import refit

        self.unsure = refit(self, **how)
        return self.unsure

    def predict_manifest(self, manifest, *, split):
        """Predict the images of a manifest and return (Predictions, Pictures of the same rows)."""
        source, manifest = self.form.readable(manifest)
        rows = np.arange(len(manifest))
        batches = progress.counted(source.dataset(rows).batch(self.batch).prefetch(2), len(rows), "Predictions")
        logits = predict_batches(logits_model(self.model), batches)
        return predictions_of(manifest, logits, split=split), Pictures(source, rows)

    def embed_manifest(self, manifest):
        """Pooled features of the images of a manifest.

        Returns:
            (float32 array (n,c), Manifest of the images that could be read, in the order of the rows). Unreadable
            files are left out with a warning.
        """
        source, manifest = self.form.readable(manifest)
        batches = source.dataset(np.arange(len(manifest))).batch(self.batch).prefetch(2)
        features = predict_batches(embedder(self.model), progress.counted(batches, len(manifest), "Features"))
        return features, manifest

    def embed_inputs(self, paths):
        """Pooled features of files, folders, globs and bytes: ImageFeatures of the images that can be read."""
        found = FeatureCollector(self.feature_size)
        images = expand_inputs(paths)
        batches = self.form.stream(images, self.batch, digests=True)
        for batch in progress.counted(batches, len(images), "Features", size=images_of):
            found.add(batch, self._forward(tf.constant(batch.pixels, tf.float32))[1].numpy())
        return found.collected()

    def write_embeddings(self, data=None, *, splits=(), out=None, **how):
        """Write the features of the run's images, or of other data; see `medxray.embeddings.extract.extract`."""
        from medxray.embeddings.extract import extract

        return extract(self, data, splits=splits, out=out, **how)

    def similar(self, paths, *, count=5):
        """The training images most similar to some images; see `medxray.embeddings.similar.similar_images`."""
        from medxray.embeddings.similar import similar_images

        return similar_images(self, self.embed_inputs(paths), count=count)
