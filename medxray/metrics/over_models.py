"""Figures of several models of the same images: their mean, and how far the models differ."""

import dataclasses

import numpy as np

from medxray.metrics.decision import DEFAULT_POINT, Decision
from medxray.metrics.shifts import evaluate_shifts

BY_PATIENT = {"auroc": "mean_auroc"} | {name: name for name in ("balanced_accuracy", "sensitivity", "specificity")}
_NAME = "models"


def mean_over_models(predictions, decisions):
    """Means over models with intervals by patient: the same patients are drawn for all models.

    Args:
        predictions: list of `Predictions`, one of each model, of the same images in the same order.
        decisions: list of `Decision`, one of each model.

    Returns:
        dict figure of BY_PATIENT -> dict of value and ci95, see `shifts.evaluate_shifts`.
    """
    pairs = zip(predictions, decisions, strict=True)
    logits = {(_NAME, number): decided_logits(part, decision) for number, (part, decision) in enumerate(pairs)}
    first = predictions[0]
    neutral = Decision(DEFAULT_POINT if first.is_binary else None)
    reference = dataclasses.replace(first, logits=logits[_NAME, 0])
    found = evaluate_shifts(reference, neutral, logits, groups={_NAME: _NAME})
    return {name: found[key] for name, key in BY_PATIENT.items()}


def decided_logits(predictions, decision):
    """Logits that give the labels of a decision without one: the order of the images is that of its log-odds.

    With two classes they are the calibrated log-odds less those of the threshold, with more the calibrated scores.

    Returns:
        float64 array (n,K).
    """
    if decision.threshold is None:
        return decision.calibration.scores(predictions.logits)
    odds = predictions.log_odds(decision.calibration)[:, 1] - decision.threshold.log_odds
    return np.stack([np.zeros_like(odds), odds], axis=1)


def spread(values):
    """Mean, standard deviation (with n - 1), lowest and highest of numbers; None where one is None.

    Returns:
        dict: values, mean, sd (None with one value), lowest, highest; or None.
    """
    if any(value is None for value in values):
        return None
    numbers = np.array(values, float)
    deviation = float(numbers.std(ddof=1)) if len(numbers) > 1 else None
    return {
        "values": numbers.tolist(),
        "mean": float(numbers.mean()),
        "sd": deviation,
        "lowest": float(numbers.min()),
        "highest": float(numbers.max()),
    }
