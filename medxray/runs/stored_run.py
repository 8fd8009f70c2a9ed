"""What a run stores: facts of its images and classes, its decision, its model."""

import logging
from functools import cached_property

from medxray.data.images.decode import DECODING
from medxray.data.resizing import RESIZES
from medxray.errors import RunError
from medxray.models.classifier import load_classifier
from medxray.models.registry import architecture
from medxray.predict.input_form import InputForm
from medxray.runs.derived import ORIGIN
from medxray.runs.directory import SHORTCUT_AUDITS
from medxray.runs.prevalence import ADAPTATION
from medxray.runs.stored_decision import stored_decision, stored_other_decision, stored_unsure

log = logging.getLogger(__name__)


class StoredRun:
    """A run as it is on disk, read and checked.

    Args:
        directory: runs.directory.RunDir.

    Attributes:
        path, name: of the directory.
        record: dict of run.json.
        classes, positive: names of the classes; the positive one of two, or None.
        architecture: row of models.registry; None where the model is of none of them.
        input_size, channels, resize: of the model's input, in pixels.
        decoding: version of the decoding in training.
        form: predict.input_form.InputForm, how files become inputs.
        decision: metrics.decision.Decision.
        other_decision: the Decision on the other views of validation images, for comparison, or None.
        unsure: metrics.unsure.Unsure, prediction sets and abstention; None in a run of an earlier version.

    Raises:
        RunError: run.json is damaged.
    """

    def __init__(self, directory):
        self.directory = directory
        self.path = directory.path
        self.name = directory.name
        self.record = directory.read_record()
        try:
            self._read_facts()
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{directory.record_file} is damaged: {error!r}. Train the run again.") from error
        self._compare_decoding()
        self.decision = stored_decision(self.record, self.path)
        self.other_decision = stored_other_decision(self.record)
        self.unsure = stored_unsure(self.record)

    def own_notes(self, split):
        """Remarks on one of the run's own splits, list of str."""
        held, audited = self.record.get("holdout"), self.record.get(SHORTCUT_AUDITS, {}).get(split)
        notes = [held["note"]] if held and split == "test" else []
        return notes + ([f"Shortcut audit of {audited['n']} images: {audited['verdict']}"] if audited else [])

    @property
    def adapted_from(self):
        """Path of the run that this one was adapted from to another place, text; None where it was not adapted."""
        return self.record[ORIGIN]["path"] if ADAPTATION in self.record else None

    def _read_facts(self):
        data, config = self.record["data"], self.record["config"]
        self.classes = tuple(map(str, data["classes"]))
        self.positive = data["positive"]
        self.architecture = self._read_architecture(config)
        self.input_size = (int(config["image_size"]),) * 2
        self.channels = int(config["channels"])
        self.resize = config["resize"]
        self.decoding = int(dict(data.get("preprocessing") or {}).get("decoding", 1))
        self.form = InputForm(self.input_size, self.channels, self.resize)
        if len(self.classes) < 2 or self.positive not in (None, self.classes[-1]) or self.resize not in RESIZES:
            raise ValueError("classes, positive or resize")

    def _compare_decoding(self):
        """Warn where images are now decoded in another way than in training."""
        if self.decoding != DECODING:
            log.warning(
                "%s was trained on images decoded by version %d, and they are now decoded by version %d: its figures "
                "may move. Train it again; docs/data.md says what changed.",
                self.name,
                self.decoding,
                DECODING,
            )

    def _read_architecture(self, config):
        return architecture(config["arch"])

    @cached_property
    def model(self):
        """The flat keras.Model: float32 images (N,H,W,C), 0-255 -> probabilities (N,K), not calibrated.

        That of an anomaly run has further outputs behind the probabilities, see `anomaly.score.finish_detector`.
        """
        model = load_classifier(self.directory.model_file)
        self._check_model(model)
        return model

    def _check_model(self, model):
        found, expected = (
            (model.input_shape, model.output_shape),
            (
                (None, *self.input_size, self.channels),
                (None, len(self.classes)),
            ),
        )
        if found != expected:
            raise RunError(
                f"{self.directory.model_file} maps {found[0]} to {found[1]}, where run.json says {expected[0]} to "
                f"{expected[1]}. The files do not belong together: train the run again."
            )
