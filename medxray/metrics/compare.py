"""Is one model better than another on the same images? DeLong, McNemar and a paired bootstrap."""

import numpy as np
from scipy.stats import binomtest, norm, rankdata

from medxray.errors import DataError
from medxray.metrics.bootstrap import N_BOOT, bootstrap, percentile_interval, resampling_obstacle
from medxray.metrics.metrics import Ranking
from medxray.metrics.statistics import class_scores


def delong(is_positive, scores):
    """AUROCs of several scores on the same images, and their covariance.

    Args:
        is_positive: bool array (n,), two or more images of each kind.
        scores: float array (M, n), one row per model; higher means more likely positive.

    Returns:
        auroc: float64 array (M,), 0-1.
        covariance: float64 array (M, M).

    Raises:
        DataError: fewer than two positive or two negative images.

    Source: DeLong et al. (1988); Sun and Xu (2014), algorithm 2 (midranks); deviations: none.
    """
    is_positive, scores = np.asarray(is_positive, dtype=bool), np.atleast_2d(np.asarray(scores, dtype=np.float64))
    positive, negative = int(is_positive.sum()), int((~is_positive).sum())
    if min(positive, negative) < 2:
        raise DataError(f"DeLong needs two images of each kind. Received {positive} positive and {negative} negative.")
    ranks = rankdata(scores, axis=1)
    above_negatives = (ranks[:, is_positive] - rankdata(scores[:, is_positive], axis=1)) / negative
    below_positives = 1 - (ranks[:, ~is_positive] - rankdata(scores[:, ~is_positive], axis=1)) / positive
    covariance = np.atleast_2d(np.cov(above_negatives)) / positive + np.atleast_2d(np.cov(below_positives)) / negative
    return above_negatives.mean(axis=1), covariance


def mcnemar(first_correct, second_correct):
    """Exact test that two models are right equally often on the same images.

    Args:
        first_correct: bool array (n,): the first model labels the image correctly.
        second_correct: bool array (n,), the same for the second model.

    Returns:
        dict: only_first and only_second (images that one model alone gets right), p_value (two-sided, 0-1).

    Source: McNemar (1947), with the exact binomial distribution; deviations: none.
    """
    first_correct, second_correct = np.asarray(first_correct, dtype=bool), np.asarray(second_correct, dtype=bool)
    only_first = int((first_correct & ~second_correct).sum())
    only_second = int((second_correct & ~first_correct).sum())
    disagreements = only_first + only_second
    p_value = float(binomtest(only_first, disagreements).pvalue) if disagreements else 1.0
    return {"only_first": only_first, "only_second": only_second, "p_value": p_value}


def compare_runs(first, second, *, decisions, n_boot=N_BOOT, seed=0):
    """Compare two models on the same images.

    Args:
        first: `Predictions` of one model.
        second: `Predictions` of the other, of the same images in any order.
        decisions: the two models' `Decision`, in that order.
        n_boot: resamples of the paired patient-cluster stratified bootstrap.
        seed: of the bootstrap.

    Returns:
        dict of JSON values: n, n_patients, classes; `auroc` by class (the positive one only with two classes) with
        first, second and difference (first - second), ci95 and p_value by DeLong, ci95_by_patient by bootstrap;
        `accuracy` with first, second and McNemar's test. What cannot be computed is None.

    Raises:
        DataError: the two tables are not of the same images, classes or true labels.
    """
    second = _aligned(first, second)
    probabilities = [
        part.probabilities(decision.calibration) for part, decision in zip((first, second), decisions, strict=True)
    ]
    correct = [
        decision.labels(values) == first.y_true for decision, values in zip(decisions, probabilities, strict=True)
    ]
    scores = [class_scores(values) for values in probabilities]
    compared = [len(first.classes) - 1] if first.is_binary else range(len(first.classes))
    auroc = {
        first.classes[k]: _compare_auroc(first, k, np.stack([part[:, k] for part in scores]), n_boot=n_boot, seed=seed)
        for k in compared
    }
    shares = {"first": float(correct[0].mean()), "second": float(correct[1].mean())} if len(first) else {}
    return {
        "n": len(first),
        "n_patients": first.n_patients,
        "classes": list(first.classes),
        "auroc": auroc,
        "accuracy": shares | {"mcnemar": mcnemar(*correct)},
    }


def _aligned(first, second):
    """The second table in the order of the first."""
    if first.classes != second.classes:
        raise DataError(
            f"Compared models need the same classes in the same order. Received {', '.join(first.classes)} "
            f"and {', '.join(second.classes)}."
        )
    row = {path: index for index, path in enumerate(second.paths)}
    unshared = set(first.paths) ^ set(second.paths)
    if unshared or len(row) != len(second) or len(first) != len(second):
        example = min(unshared) if unshared else "a file that is listed twice"
        raise DataError(
            f"Compared models need predictions of the same images. Received {len(first)} and {len(second)}, "
            f"different in {example}. Evaluate both runs on the same data."
        )
    second = second.where(np.array([row[path] for path in first.paths], dtype=np.int64))
    wrong = np.flatnonzero(first.y_true != second.y_true)
    if len(wrong):
        raise DataError(
            f"Compared models need the same true labels. {first.paths[wrong[0]]} is "
            f"{first.classes[first.y_true[wrong[0]]]} in one table and {first.classes[second.y_true[wrong[0]]]} in "
            "the other. Evaluate both runs on the same data."
        )
    return second


def _compare_auroc(table, k, scores, *, n_boot, seed):
    """Difference of two AUROCs of class k against the others; nulls when a kind has fewer than two images."""
    is_class = table.y_true == k
    if min(is_class.sum(), (~is_class).sum()) < 2:
        return dict.fromkeys(("first", "second", "difference", "ci95", "p_value", "ci95_by_patient"))
    auroc, covariance = delong(is_class, scores)
    difference = auroc[0] - auroc[1]
    error = np.sqrt(max(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1], 0.0))
    known = error > 1e-12
    half = norm.ppf(0.975) * error
    return {
        "first": float(auroc[0]),
        "second": float(auroc[1]),
        "difference": float(difference),
        "ci95": [float(difference - half), float(difference + half)] if known else None,
        "p_value": float(2 * norm.sf(abs(difference) / error)) if known else None,
        "ci95_by_patient": _paired_interval(table, is_class, scores, n_boot=n_boot, seed=seed),
    }


def _paired_interval(table, is_class, scores, *, n_boot, seed):
    if resampling_obstacle(table.patient_ids, table.y_true):
        return None
    rankings = [Ranking(is_class, row) for row in scores]

    def difference(weights):
        return {"difference": rankings[0].areas(weights)[0] - rankings[1].areas(weights)[0]}

    samples = bootstrap(difference, table.patient_ids, table.y_true, n_boot=n_boot, seed=seed)
    interval = percentile_interval(samples["difference"])
    return None if interval is None else list(interval)
