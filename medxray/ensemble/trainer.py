"""Makes an ensemble: the common graph, weights, and all that a training leaves besides."""

import dataclasses
import logging
from functools import cached_property

import numpy as np

from medxray.ensemble.config import NLL
from medxray.ensemble.graph import assemble
from medxray.ensemble.members import read_members
from medxray.ensemble.run import images_at_once
from medxray.evaluation.after_training import assess
from medxray.evaluation.shifts import logits_of_draws
from medxray.metrics.decision import SHIFTED
from medxray.metrics.log_pool import FOLDS, cross_fit_weights, pooled_scores
from medxray.models.classifier import load_classifier
from medxray.models.inference import compiled, logits_model, predict_batches
from medxray.runs.images import own_manifest
from medxray.runs.stored_run import StoredRun
from medxray.system import progress, storage
from medxray.training.checkpoint import save_model
from medxray.training.dataset import SAMPLE, sample_note
from medxray.training.fitted import FittedRun
from medxray.training.run_data import TEST
from medxray.training.trainer import Trainer

log = logging.getLogger(__name__)
_CROSS_FITTED = (
    f"The weights of the runs were cross-fitted: those of each validation patient come from the other {FOLDS - 1} of "
    f"{FOLDS} folds of patients, here and where threshold and calibration were chosen. All other images have the "
    "weights fitted to all validation patients."
)


@dataclasses.dataclass(frozen=True, eq=False)
class FittedEnsemble(FittedRun):
    """An ensemble with its weights.

    Attributes:
        of_rows: float64 array (n,M): the weights of the members for each validation image.
    """

    of_rows: np.ndarray


class EnsembleTrainer(Trainer):
    """Combines runs."""

    @property
    def batch(self):
        """Images that the model takes at a time."""
        return images_at_once(self.config.tta)

    @cached_property
    def _members(self):
        return read_members(self.config.members)

    @cached_property
    def _assembly(self):
        models = [StoredRun(member.directory).model for member in self._members]
        how = {"views": self.config.tta, "passes": self.config.mc, "seed": self.config.seed}
        return assemble(models, [member.calibration for member in self._members], **how)

    def _choose(self):
        return own_manifest(self._members[0])

    def _prepare(self, manifest):
        with self._timed("model"):
            storage.check_space(
                self.run.path, 3 * sum(one.directory.model_file.stat().st_size for one in self._members)
            )
            forward = compiled(self._assembly.outputs(), fold=False)
        self._forward = forward
        held = self._members[0].record.get("holdout")
        if held:
            self.run.update_record(holdout=held)

    def fit(self, data):
        """Weigh the members by validation images; see `Trainer.fit`."""
        with self._timed("evaluate"):
            scores, lengths = self._measured(data)
            validation = data.predictions("val", scores.mean(axis=1), split="val")
        weights, of_rows, found = self._weights(scores, validation)
        with self._timed("model"):
            save_model(self._assembly.finished(weights, lengths), self.run.initial_model_file)
            model = load_classifier(self.run.initial_model_file)
        self.run.update_record(ensemble=self._facts(weights, lengths) | found)
        return FittedEnsemble(
            directory=self.run,
            config=self.config,
            trainer=self,
            data=data,
            model=model,
            history=(),
            validation=dataclasses.replace(validation, logits=pooled_scores(scores, of_rows)),
            of_rows=of_rows,
        )

    def _measured(self, data):
        """Scores of validation images, float32 (n,M,K), and the root mean square length of each member's features."""
        images, count = data.fitted, len(self._members)
        parts = []
        batches = images.images(images.rows["val"]).batch(self.batch).prefetch(2)
        for batch in progress.counted(batches, len(images.rows["val"]), "Predictions"):
            parts.append([output.numpy() for output in self._forward(batch)])
        outputs = [np.concatenate(part) for part in zip(*parts, strict=True)]
        lengths = [float(np.sqrt(np.square(pooled, dtype=np.float64).sum(axis=1).mean())) for pooled in outputs[count:]]
        return np.stack(outputs[:count], axis=1), [length or 1.0 for length in lengths]

    def _weights(self, scores, validation):
        """(Weights of the members, those for each validation image, what the record says of them)."""
        count = len(self._members)
        if self.config.weights != NLL:
            equal = np.full(count, 1 / count)
            return equal, np.tile(equal, (len(scores), 1)), {}
        known = {"classes": validation.classes, "seed": self.config.seed}
        found = cross_fit_weights(scores, validation.y_true, validation.patient_ids, **known)
        shown = zip(self._members, found.weights, strict=True)
        log.info("Weights: %s.", ", ".join(f"{member.name} {weight:.3f}" for member, weight in shown))
        return found.weights, found.of_rows, {"weights_of_folds": found.of_folds.tolist()}

    def _facts(self, weights, lengths):
        """The entry `ensemble` of run.json."""
        members = [
            {
                "name": member.name,
                "path": str(member.directory.path),
                "arch": member.record["config"]["arch"],
                "weight": float(weight),
                "temperature": member.calibration.temperature,
                "bias": list(member.calibration.bias),
                "feature_length": length,
                "model_sha256": storage.file_sha256(member.directory.model_file),
            }
            for member, weight, length in zip(self._members, weights, lengths, strict=True)
        ]
        return {"members": members, "views": self.config.tta, "passes": self.config.mc}

    def _evaluate(self, fitted, data):
        with self._timed("evaluate"):
            forward = logits_model(fitted.model)
            splits = [
                self._predicted(forward, data, SAMPLE, "train"),
                fitted.validation,
                self._predicted(forward, data, TEST, TEST),
            ]
            pictures = {"train": data.pictures(SAMPLE), "val": data.pictures("val"), TEST: data.pictures(TEST)}
            cross_fitted = _CROSS_FITTED if self.config.weights == NLL else None
            notes = {"train": sample_note(data.fitted), "val": cross_fitted, TEST: self._held_note()}
            decided = self._decided(fitted, pictures["val"])
            assess(self.run, splits, kind=self.kind, pictures=pictures, notes=notes, **decided)

    def _predicted(self, forward, data, name, split):
        images = data.images_with(name)
        batches = images.images(images.rows[name]).batch(self.batch).prefetch(2)
        logits = predict_batches(forward, progress.counted(batches, len(images.rows[name]), "Predictions"))
        return data.predictions(name, logits, split=split)

    def _decided(self, fitted, validation):
        """What threshold and calibration are chosen by, as arguments of `assess`."""
        config, shifted = self.config, None
        if config.decide_on == SHIFTED:
            count = len(self._members)
            views = logits_of_draws(
                lambda images: np.stack([one.numpy() for one in self._forward(images)[:count]], axis=1),
                validation,
                batch=self.batch,
            )
            shifted = {group: pooled_scores(scores, fitted.of_rows) for group, scores in views.items()}
        return {"rule": config.threshold_rule, "decide_on": config.decide_on, "shifted": shifted}
