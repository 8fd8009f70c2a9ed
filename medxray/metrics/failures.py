"""Which images the model got wrong while being most sure of itself."""

import numpy as np


def confident_errors(predictions, decision, *, k=12):
    """Indices of the most confident errors of each kind.

    Args:
        predictions: `Predictions`.
        decision: `Decision` that labels them.
        k: at most so many of each kind.

    Returns:
        dict of int64 arrays, most confident first, equally confident ones in the order of the table. Two classes:
        "false_positives" (highest probability first) and "false_negatives" (lowest first). More: "misclassified",
        by the probability of the wrong label.
    """
    labels = decision.labels(predictions.logits)
    wrong = labels != predictions.y_true
    log_odds = predictions.log_odds(decision.calibration)
    if not predictions.is_binary:
        return {"misclassified": _first(wrong, log_odds.max(axis=1), k)}
    positive = log_odds[:, -1]
    return {
        "false_positives": _first(wrong & (labels == 1), positive, k),
        "false_negatives": _first(wrong & (labels == 0), -positive, k),
    }


def _first(mask, confidence, k):
    rows = np.flatnonzero(mask)
    return rows[np.argsort(-confidence[rows], kind="stable")][:k]


def error_records(predictions, decision, *, k=12):
    """The errors of `confident_errors` as JSON: path, patient, true class, label and its probability.

    `probability` belongs to the positive class; with three or more classes to the wrong label.
    """
    probabilities = predictions.probabilities(decision.calibration)
    labels = decision.labels(predictions.logits)

    def record(row):
        shown = 1 if predictions.is_binary else labels[row]
        return {
            "path": predictions.paths[row],
            "patient_id": str(predictions.patient_ids[row]),
            "y_true": predictions.classes[predictions.y_true[row]],
            "label": predictions.classes[labels[row]],
            "probability": float(probabilities[row, shown]),
        }

    return {kind: [record(row) for row in rows] for kind, rows in confident_errors(predictions, decision, k=k).items()}
