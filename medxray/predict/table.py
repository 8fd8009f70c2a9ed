"""What a model says about files, as a table. No TensorFlow."""

import numpy as np
import pandas as pd

from medxray.metrics.prediction_table import decided_columns, probability_columns
from medxray.metrics.predictions import check_finite
from medxray.predict.inputs import path_text


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
    logits, paths = np.asarray(logits, np.float64), [path_text(file) for file in files]
    check_finite(logits, paths)
    decided = decided_columns(logits, decision, classes=classes, positive=positive)
    threshold = np.nan if decision.threshold is None else decision.threshold.value
    named = probability_columns(classes)
    frame = pd.DataFrame({"path": paths, **decided, "threshold": threshold, "error": errors})
    frame = frame[["path", "label", "probability", "raw_probability", "threshold", "error", *named]]
    failed = frame["error"] != ""
    frame.loc[failed, ["probability", "raw_probability", "threshold", *named]] = np.nan
    frame.loc[failed, "label"] = ""
    return frame
