"""What a model says about files, as a table. No TensorFlow."""

import numpy as np
import pandas as pd

from medxray.metrics.predictions import Predictions, prediction_table
from medxray.predict.inputs import path_text

_NUMBERS = ["probability", "raw_probability", "threshold"]


def answer_table(files, logits, errors, *, classes, positive, decision):
    """The table of `medxray predict` without score and gate.

    Args:
        files: paths, one per row.
        logits: float array (n,K); those of files with an error do not count.
        errors: texts, one per row: empty, or why there is no answer.
        classes: names of the K classes.
        positive: the positive one of two classes, or None.
        decision: metrics.decision.Decision.

    Returns:
        pandas.DataFrame: path, label, probability, raw_probability, threshold, error, `probability_<class>`; numbers
        are nan and labels empty where there is an error.
    """
    predictions = Predictions(
        paths=tuple(map(path_text, files)),
        patient_ids=np.arange(len(files)).astype(str),
        y_true=np.zeros(len(files), np.int64),
        logits=logits,
        classes=classes,
        positive=positive,
        split="",
    )
    frame = prediction_table(predictions, decision).assign(error=errors)
    frame["threshold"] = pd.to_numeric(frame["threshold"], errors="coerce").astype(float)
    named = [f"probability_{name}" for name in classes]
    frame = frame[["path", "label", *_NUMBERS, "error", *named]]
    failed = frame["error"] != ""
    frame.loc[failed, [*_NUMBERS, *named]] = np.nan
    frame.loc[failed, "label"] = ""
    return frame
