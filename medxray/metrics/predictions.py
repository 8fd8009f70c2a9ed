"""Predictions: image, patient, true class and logits of one split. No TensorFlow."""

import html
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from medxray.errors import DataError

_SHOWN = 10  # rows in a notebook
UNKNOWN = "image:"  # begins the id that stands for an unknown patient, as `data.manifest` makes it


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model said about the images of one split.

    Attributes:
        paths: file of each image, as in the manifest.
        patient_ids: str array (n,); images with the same id are resampled together.
        y_true: int64 array (n,), index into `classes`.
        logits: float64 array (n, K), uncalibrated.
        classes: names in the order of the logits; with two classes the positive one is last.
        positive: name of the positive class; None with three or more classes.
        split: "train", "val", "test" or the name of an external set.
        subtypes: finer label of each image ("" = none), or None when there are no subtypes.
    """

    paths: tuple[str, ...]
    patient_ids: np.ndarray
    y_true: np.ndarray
    logits: np.ndarray
    classes: tuple[str, ...]
    positive: str | None
    split: str
    subtypes: tuple[str, ...] | None = None

    def __post_init__(self):
        """Bring the arrays to their types and refuse a table whose parts do not fit together."""
        set_field = object.__setattr__
        set_field(self, "paths", tuple(str(path) for path in self.paths))
        set_field(self, "patient_ids", np.asarray(self.patient_ids, dtype=str))
        set_field(self, "y_true", np.asarray(self.y_true, dtype=np.int64))
        set_field(self, "classes", tuple(self.classes))
        set_field(self, "logits", np.asarray(self.logits, dtype=np.float64).reshape(-1, len(self.classes)))
        if self.subtypes is not None:
            set_field(self, "subtypes", tuple(str(subtype) for subtype in self.subtypes))
        _check(self)

    def __len__(self):
        """Number of images."""
        return len(self.paths)

    def _repr_html_(self):
        """What a notebook shows: how many images there are, and the first of them with raw probabilities."""
        import pandas as pd

        columns = {"path": self.paths, "patient_id": self.patient_ids, "y_true": np.array(self.classes)[self.y_true]}
        columns |= {f"raw_{name}": self.raw_probabilities[:, k].round(4) for k, name in enumerate(self.classes)}
        first = pd.DataFrame(columns).head(_SHOWN).to_html(border=0, index=False)
        return f"<p>{html.escape(self.split)}: {len(self)} images, {self.n_patients} patients</p>{first}"

    @property
    def is_binary(self):
        """True with two classes, one of which is positive."""
        return self.positive is not None

    @property
    def n_patients(self):
        """Number of different patients."""
        return len(np.unique(self.patient_ids))

    @property
    def n_unknown(self):
        """Number of images whose patient is unknown, each of which counts as a patient of its own."""
        return sum(patient.startswith(UNKNOWN) for patient in self.patient_ids)

    @property
    def is_positive(self):
        """Bool array (n,): the image shows the positive class. Two classes only."""
        return self.y_true == self._positive_index()

    @property
    def raw_probabilities(self):
        """Float64 array (n, K), 0-1: softmax of the logits, not calibrated."""
        return softmax(self.logits, axis=1)

    def probabilities(self, calibration):
        """Probabilities under an `metrics.calibration.Calibration`: float64 array (n, K), 0-1, rows sum to 1."""
        return calibration.probabilities(self.logits)

    def log_probabilities(self, calibration):
        """Natural logarithm of `probabilities(calibration)`, exact where the probability underflows."""
        return calibration.log_probabilities(self.logits)

    def log_odds(self, calibration):
        """Calibrated log-odds of each class against the others, float64 (n, K): what ranks images."""
        return calibration.log_odds(self.logits)

    def score(self, calibration):
        """Calibrated probability of the positive class, float64 array (n,). Two classes only."""
        return self.probabilities(calibration)[:, self._positive_index()]

    def where(self, mask):
        """The images for which `mask` (bool array (n,) or index array) holds, in the same order."""
        rows = np.arange(len(self))[mask]
        return Predictions(
            paths=tuple(self.paths[row] for row in rows),
            patient_ids=self.patient_ids[rows],
            y_true=self.y_true[rows],
            logits=self.logits[rows],
            classes=self.classes,
            positive=self.positive,
            split=self.split,
            subtypes=None if self.subtypes is None else tuple(self.subtypes[row] for row in rows),
        )

    def _positive_index(self):
        if self.positive is None:
            raise ValueError(f"A positive class exists with two classes only, not with {', '.join(self.classes)}.")
        return self.classes.index(self.positive)


def _check(predictions):
    n, classes = len(predictions.paths), predictions.classes
    columns = {"patient_ids": predictions.patient_ids, "y_true": predictions.y_true, "logits": predictions.logits}
    if predictions.subtypes is not None:
        columns["subtypes"] = predictions.subtypes
    for name, column in columns.items():
        if len(column) != n:
            raise ValueError(f"Predictions need one entry of {name} per path: expected {n}, received {len(column)}.")
    if len(classes) < 2 or len(set(classes)) != len(classes):
        raise ValueError(f"Predictions need two or more different classes, received {classes}.")
    if predictions.positive != (classes[-1] if len(classes) == 2 else None):
        raise ValueError(
            "The positive class must be the last of two classes and None with more, "
            f"received {predictions.positive!r} for {classes}."
        )
    if n and not (0 <= predictions.y_true.min() and predictions.y_true.max() < len(classes)):
        raise ValueError(f"y_true must lie between 0 and {len(classes) - 1}.")
    check_finite(predictions.logits, predictions.paths)


def check_finite(logits, paths):
    """Raise DataError, with the first path concerned, unless all logits (n, K) are finite numbers."""
    wrong = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if len(wrong):
        raise DataError(
            f"Logits must be finite numbers. Received {logits[wrong[0]].tolist()} for {paths[wrong[0]]}. "
            "The weights or the image are damaged: train again or remove the image."
        )
