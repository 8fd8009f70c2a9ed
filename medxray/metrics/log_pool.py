"""Weights of models whose log-probabilities are averaged: those of the lowest NLL, cross-fitted by patient."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.model_selection import StratifiedGroupKFold

from medxray.errors import DataError
from medxray.metrics.decision import MIN_IMAGES_PER_CLASS

FOLDS = 5


class CrossFitted(NamedTuple):
    """Weights of M models.

    Attributes:
        weights: float64 array (M,), fitted to all images.
        of_rows: float64 array (n,M): for each image the weights fitted without its fold of patients.
        of_folds: float64 array (FOLDS,M), in the order of the folds.
    """

    weights: np.ndarray
    of_rows: np.ndarray
    of_folds: np.ndarray


def pooled_scores(scores, weights):
    """The weighted mean of the scores of models.

    Args:
        scores: float array (n,M,K).
        weights: float array (M,), or (n,M) where images have their own.

    Returns:
        float64 array (n,K).
    """
    weights = np.broadcast_to(weights, scores.shape[:2])
    return np.einsum("nm,nmk->nk", weights, np.asarray(scores, np.float64))


def fit_weights(scores, y_true):
    """The weights, at least 0 and with sum 1, of the lowest mean NLL of softmax(weighted mean of the scores).

    The NLL is convex in the weights; SLSQP minimises it from equal weights.

    Args:
        scores: float array (n,M,K), calibrated scores of M models.
        y_true: int array (n,), index of the true class.

    Returns:
        float64 array (M,).

    Source: Heskes (1998), Selecting weighting factors in logarithmic opinion pools, eq. 3; deviations: the weights
    minimise the NLL of the pool itself.
    """
    scores, count = np.asarray(scores, np.float64), scores.shape[1]
    rows = np.arange(len(scores))

    def loss(weights):
        log_probabilities = log_softmax(pooled_scores(scores, weights), axis=1)
        residual = np.exp(log_probabilities)
        residual[rows, y_true] -= 1
        return -log_probabilities[rows, y_true].mean(), np.einsum("nk,nmk->m", residual, scores) / len(scores)

    sum_is_1 = {"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": np.ones_like}
    start = np.full(count, 1 / count)
    options = {"ftol": 1e-12, "maxiter": 500}
    bounds = [(0, 1)] * count
    found = minimize(loss, start, jac=True, method="SLSQP", bounds=bounds, constraints=sum_is_1, options=options).x
    weights = np.clip(found, 0, 1)
    return weights / weights.sum()


def cross_fit_weights(scores, y_true, patient_ids, *, classes, seed=0):
    """Fit weights such that no image is judged by weights that its patient took part in.

    The images are dealt into FOLDS folds by patient, stratified by class; those of a fold get the weights that the
    others give. What is fitted to all images is for images that take no part here.

    Args:
        scores: float array (n,M,K).
        y_true: int array (n,).
        patient_ids: str array (n,).
        classes: names of the K classes.
        seed: of the folds.

    Returns:
        CrossFitted.

    Raises:
        DataError: a class has fewer than `decision.MIN_IMAGES_PER_CLASS` images or FOLDS patients.

    Source: Chernozhukov et al. (2018), Double/debiased machine learning, definition 3.1, for the cross-fitting.
    """
    for number, name in enumerate(classes):
        own = y_true == number
        images, patients = int(own.sum()), len(np.unique(patient_ids[own]))
        if images < MIN_IMAGES_PER_CLASS or patients < FOLDS:
            raise DataError(
                f"--weights nll needs {MIN_IMAGES_PER_CLASS} validation images and {FOLDS} patients of each class. "
                f"Received {images} images of {patients} patients of {name}: leave it out, or add patients."
            )
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    of_rows, of_folds = np.zeros(scores.shape[:2]), []
    for others, fold in folds.split(scores, y_true, patient_ids):
        of_folds.append(fit_weights(scores[others], y_true[others]))
        of_rows[fold] = of_folds[-1]
    return CrossFitted(fit_weights(scores, y_true), of_rows, np.stack(of_folds))
