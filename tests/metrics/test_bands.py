"""Bands around ROC and precision-recall curves."""

import numpy as np

from medxray.metrics.bands import curve_bands, precision_at, sensitivity_at
from medxray.metrics.bootstrap import resample_weights
from medxray.metrics.curves import precision_recall_points, roc_points


def test_a_curve_by_hand():
    # scores, highest first: positive, negative, positive and negative together, negative
    tp, fp = np.array([1.0, 1.0, 2.0, 2.0]), np.array([0.0, 1.0, 2.0, 3.0])
    # the curve goes (0,0) (0,1/2) (1/3,1/2) (2/3,1) (1,1)
    assert np.allclose(sensitivity_at([0, 1 / 3, 0.5, 2 / 3, 1], tp, fp), [0.5, 0.5, 0.75, 1, 1])
    # recall 1/2 is reached with 1 of 1, recall above it with 2 of 4
    assert np.allclose(precision_at([0.1, 0.5, 0.6, 1], tp, fp), [1, 1, 0.5, 0.5])


def test_weights_of_one_give_the_points_of_the_curves():
    rng = np.random.default_rng(0)
    positive, score = rng.random(50) < 0.4, rng.integers(0, 12, 50)
    fpr, tpr = roc_points(positive, score)
    recall, precision = precision_recall_points(positive, score)
    tp, fp = tpr[1:] * positive.sum(), fpr[1:] * (~positive).sum()
    assert np.allclose(sensitivity_at(fpr[1:], tp, fp), [tpr[fpr <= one + 1e-12].max() for one in fpr[1:]])
    first = [np.flatnonzero(recall >= one - 1e-12)[0] for one in (0.2, 0.55, 1.0)]
    assert np.allclose(precision_at([0.2, 0.55, 1.0], tp, fp), precision[first])


def test_a_band_is_what_curves_of_repeated_images_give():
    rng = np.random.default_rng(1)
    y_true = np.arange(24) % 2
    score, patients = rng.normal(size=24) + y_true, np.repeat(np.arange(12), 2).astype(str)
    roc, pr = curve_bands(y_true == 1, score, patients, y_true, n_boot=40, seed=3)
    sensitivities, precisions = [], []
    for weights in np.concatenate(list(resample_weights(patients, y_true, n_boot=40, seed=3))).astype(int):
        rows = np.repeat(np.arange(24), weights)
        fpr, tpr = roc_points(y_true[rows] == 1, score[rows])
        sensitivities.append([np.interp(one, fpr, tpr) for one in roc.x])
        recall, precision = precision_recall_points(y_true[rows] == 1, score[rows])
        precisions.append([precision[np.flatnonzero(recall >= one - 1e-9)[0]] for one in pr.x])
    assert np.allclose([roc.low, roc.high], np.quantile(sensitivities, [0.025, 0.975], axis=0))
    precisions = np.array(precisions)
    assert np.allclose([pr.low, pr.high], np.quantile(precisions, [0.025, 0.975], axis=0))


def test_there_is_no_band_where_resampling_says_nothing():
    y_true, score = np.array([0, 1] * 4), np.arange(8.0)
    assert curve_bands(y_true == 1, score, np.arange(8).astype(str), y_true) is None  # too few images
    y_true = np.zeros(20, int)
    assert curve_bands(y_true == 1, np.arange(20.0), np.arange(20).astype(str), y_true) is None  # one class
