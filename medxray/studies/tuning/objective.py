"""What a trial is worth: a figure of validation images, with its interval by patient. No TensorFlow."""

import dataclasses

import numpy as np

from medxray.errors import DataError
from medxray.metrics.bootstrap import bootstrap, percentile_interval, resampling_obstacle
from medxray.metrics.calibration import Calibration
from medxray.metrics.clustered import auroc_estimate, mean_auroc_estimate
from medxray.metrics.intervals import estimate
from medxray.metrics.metrics import Ranking
from medxray.metrics.reliability import nll_terms

_AS_GIVEN = Calibration()


def judge(predictions, views, objective):
    """The mean of a figure over some views of the same images.

    Args:
        predictions: Predictions of validation images.
        views: list of logits (n,K) of these images, one array for each view.
        objective: choices.Objective. `auroc`: of two classes the positive one, of more the mean of each against the
            others. `nll`: mean negative log-likelihood in nats of the probabilities as the model gives them, not
            calibrated.

    Returns:
        dict: value and ci95 (by patient: for one view of AUROC as in every report, else by the bootstrap; None where
        there are too few patients).

    Raises:
        DataError: a class has no validation image.
    """
    parts = [dataclasses.replace(predictions, logits=np.asarray(logits)) for logits in views]
    counts = np.bincount(predictions.y_true, minlength=len(predictions.classes))
    if objective.name == "auroc" and not counts.all():
        missing = predictions.classes[int(counts.argmin())]
        raise DataError(
            f"The AUROC needs validation images of every class, and there is none of {missing}. Add patients, give "
            "--split-file, or choose --objective nll."
        )
    if objective.name == "auroc" and len(parts) == 1:
        return _auroc_of_one(parts[0])
    statistic = _mean_nll(parts) if objective.name == "nll" else _mean_auroc(parts)
    value = float(statistic(np.ones((1, len(predictions))))["value"][0])
    if resampling_obstacle(predictions.patient_ids, predictions.y_true) is not None:
        return estimate(value)
    samples = bootstrap(statistic, predictions.patient_ids, predictions.y_true)["value"]
    return estimate(value, percentile_interval(samples))


def _auroc_of_one(part):
    odds = part.log_odds(_AS_GIVEN)
    if part.is_binary:
        return auroc_estimate(part.is_positive, odds[:, 1], part.patient_ids)
    return mean_auroc_estimate(part.y_true, odds, part.patient_ids)


def _mean_nll(parts):
    """Function weights (B,n) -> dict with the mean over images and views, (B,)."""
    terms = np.mean([nll_terms(part.log_probabilities(_AS_GIVEN), part.y_true) for part in parts], axis=0)
    return lambda weights: {"value": weights @ terms / weights.sum(axis=1)}


def _mean_auroc(parts):
    """Function weights (B,n) -> dict with the mean over views and classes, (B,)."""
    rankings = []
    for part in parts:
        odds = part.log_odds(_AS_GIVEN)
        sides = [1] if part.is_binary else range(odds.shape[1])
        rankings += [Ranking(part.y_true == k, odds[:, k]) for k in sides]
    return lambda weights: {"value": np.mean([ranking.areas(weights)[0] for ranking in rankings], axis=0)}
