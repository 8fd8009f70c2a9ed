"""Tables of predictions: their columns, and predictions.csv, written and read bit for bit. No TensorFlow."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax

from medxray.errors import DataError
from medxray.metrics.predictions import Predictions
from medxray.system import storage

FIXED_COLUMNS = ("path", "patient_id", "split", "y_true", "label", "probability", "raw_probability", "threshold")
_LOGIT = "logit_"
_PROBABILITY = "probability_"


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
    predicted = decision.labels(logits)
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
