"""The table of predictions: image, patient, true class and logits of one split. No TensorFlow."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax

from medxray.errors import DataError
from medxray.system import storage

FIXED_COLUMNS = ("path", "patient_id", "split", "y_true", "label", "probability", "raw_probability", "threshold")
_LOGIT = "logit_"
_PROBABILITY = "probability_"


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

    @property
    def is_binary(self):
        """True with two classes, one of which is positive."""
        return self.positive is not None

    @property
    def n_patients(self):
        """Number of different patients."""
        return len(np.unique(self.patient_ids))

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


def write_predictions(path, predictions, decision):
    """Write the predictions of one or more splits as one CSV at full precision.

    Args:
        path: the CSV file to write.
        predictions: list of `Predictions` with the same classes.
        decision: `metrics.decision.Decision` that turns logits into labels.

    The columns are `FIXED_COLUMNS`, then `logit_<class>` and calibrated `probability_<class>` per class, then
    `subtype`. `probability` and `raw_probability` belong to the positive class; with three or more classes, to
    the predicted one, and `threshold` is empty.
    """
    storage.write_csv(path, pd.concat([prediction_table(part, decision) for part in predictions], ignore_index=True))


def prediction_table(predictions, decision):
    """The rows that `write_predictions` writes for one split, as a DataFrame."""
    classes = predictions.classes
    decided = decided_columns(predictions.logits, decision, classes=classes, positive=predictions.positive)
    probabilities = {name: decided.pop(name) for name in probability_columns(classes)}
    table = {
        "path": predictions.paths,
        "patient_id": predictions.patient_ids,
        "split": predictions.split,
        "y_true": np.array(classes, dtype=object)[predictions.y_true],
        **decided,
        "threshold": "" if decision.threshold is None else decision.threshold.value,
    }
    table |= {_LOGIT + name: predictions.logits[:, k] for k, name in enumerate(classes)} | probabilities
    table["subtype"] = predictions.subtypes or [""] * len(predictions)
    return pd.DataFrame(table)


def probability_columns(classes):
    """Names of the columns with the calibrated probability of each class."""
    return [_PROBABILITY + name for name in classes]


def decided_columns(logits, decision, *, classes, positive):
    """What a decision makes of logits: the columns that every table of predictions has.

    Args:
        logits: float64 array (n, K), uncalibrated.
        decision: `metrics.decision.Decision`.
        classes: names in the order of the logits.
        positive: the positive one of two classes, the last; None with three or more.

    Returns:
        dict of arrays (n,): label; probability, calibrated, and raw_probability, of the positive class or else of the
        label, 0-1; calibrated `probability_<class>` per class.
    """
    calibrated = decision.calibration.probabilities(logits)
    predicted = decision.labels(calibrated)
    shown = predicted if positive is None else np.full(len(logits), len(classes) - 1)
    rows = np.arange(len(logits))
    columns = {
        "label": np.array(classes, dtype=object)[predicted],
        "probability": calibrated[rows, shown],
        "raw_probability": softmax(logits, axis=1)[rows, shown],
    }
    return columns | {name: calibrated[:, k] for k, name in enumerate(probability_columns(classes))}


def read_predictions(path):
    """Read what `write_predictions` wrote, bit for bit.

    Args:
        path: the CSV file.

    Returns:
        dict of split name to `Predictions`, in the order of the file.

    Raises:
        DataError: the file is missing or damaged; the message names the row and column.
    """
    table = _read_table(Path(path))
    classes = tuple(name.removeprefix(_LOGIT) for name in table.columns if name.startswith(_LOGIT))
    if len(classes) < 2:
        raise DataError(f"{path} needs a logit_<class> column for each of two or more classes. {_REMEDY}")
    logits = _numbers(table, [_LOGIT + name for name in classes], path)
    y_true = _labels(table, classes, path)
    result = {}
    for split in dict.fromkeys(table["split"]):
        rows = np.flatnonzero(table["split"] == split)
        subtypes = tuple(table["subtype"].iloc[rows]) if "subtype" in table else None
        result[split] = Predictions(
            paths=tuple(table["path"].iloc[rows]),
            patient_ids=table["patient_id"].to_numpy(dtype=str)[rows],
            y_true=y_true[rows],
            logits=logits[rows],
            classes=classes,
            positive=classes[-1] if len(classes) == 2 else None,
            split=split,
            subtypes=subtypes if subtypes and any(subtypes) else None,
        )
    return result


_REMEDY = "Write it again with `medxray evaluate`."


def _read_table(path):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            table = pd.read_csv(file, dtype=str, keep_default_na=False, lineterminator="\n")
    except OSError as error:
        raise DataError(f"Cannot read the predictions {path}: {error.strerror}. {_REMEDY}") from error
    except (ValueError, pd.errors.ParserError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path} is not a table of predictions: {reason}. {_REMEDY}") from error
    last = table.columns[-1]
    if last.endswith("\r"):  # a spreadsheet has saved the file with Windows line ends
        table = table.assign(**{last: table[last].str.removesuffix("\r")}).rename(columns={last: last[:-1]})
    missing = [name for name in FIXED_COLUMNS if name not in table.columns]
    if missing:
        raise DataError(
            f"{path} needs the columns {', '.join(FIXED_COLUMNS)}; missing: {', '.join(missing)}. {_REMEDY}"
        )
    return table


def _numbers(table, names, path):
    values = table[names].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        row, column = wrong[0]
        received = table[names[column]].iloc[row]
        raise DataError(
            f"{names[column]} must be a finite number. Received {received!r} ({path} row {row + 2}). {_REMEDY}"
        )
    return np.array([[float(text) for text in row] for row in table[names].to_numpy()]).reshape(values.shape)


def _labels(table, classes, path):
    index = {name: k for k, name in enumerate(classes)}
    wrong = np.flatnonzero(~table["y_true"].isin(classes))
    if len(wrong):
        received = table["y_true"].iloc[wrong[0]]
        raise DataError(
            f"y_true must be one of {', '.join(classes)}. Received {received!r} ({path} row {wrong[0] + 2}). {_REMEDY}"
        )
    return table["y_true"].map(index).to_numpy(dtype=np.int64)
