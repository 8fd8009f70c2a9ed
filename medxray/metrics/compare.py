"""Is one model better than another on the same images? Tests that hold with several images per patient."""

import numpy as np

from medxray.errors import DataError
from medxray.metrics.clustered import MIN_PATIENTS, fewest_patients
from medxray.metrics.paired import N_DRAWS, auroc_difference, compare_accuracy, permutation_test


def compare_runs(first, second, *, decisions, draws=N_DRAWS, seed=0):
    """Compare two models on the same images.

    Args:
        first: `Predictions` of one model.
        second: `Predictions` of the other, of the same images in any order.
        decisions: the two models' `Decision`, in that order.
        draws: random exchanges of the permutation test, and signs of the sign-flip test.
        seed: of the draws.

    Returns:
        dict of JSON values: n, n_patients, classes; `auroc` by class (the positive one only with two classes) as
        `paired.auroc_difference` gives it, with p_value_permutation by `paired.permutation_test`; `accuracy` as
        `paired.compare_accuracy` gives it. Everything counts patients, not images. What cannot be computed is None.

    Raises:
        DataError: the two tables are not of the same images, classes or true labels.
    """
    second = _aligned(first, second)
    pairs = list(zip((first, second), decisions, strict=True))
    correct = [decision.labels(part.logits) == part.y_true for part, decision in pairs]
    scores = [part.log_odds(decision.calibration) for part, decision in pairs]
    compared = [len(first.classes) - 1] if first.is_binary else range(len(first.classes))
    auroc = {
        first.classes[k]: _compare_auroc(first, k, [part[:, k] for part in scores], draws=draws, seed=seed)
        for k in compared
    }
    accuracy = compare_accuracy(*correct, first.patient_ids, draws=draws, seed=seed) if len(first) else {}
    return {
        "n": len(first),
        "n_patients": first.n_patients,
        "classes": list(first.classes),
        "auroc": auroc,
        "accuracy": accuracy,
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
    other = np.flatnonzero(first.patient_ids != second.patient_ids)
    if len(other):
        raise DataError(
            f"Compared models need the same patients. {first.paths[other[0]]} is of {first.patient_ids[other[0]]} in "
            f"one table and of {second.patient_ids[other[0]]} in the other. Evaluate both runs on the same data."
        )
    wrong = np.flatnonzero(first.y_true != second.y_true)
    if len(wrong):
        raise DataError(
            f"Compared models need the same true labels. {first.paths[wrong[0]]} is "
            f"{first.classes[first.y_true[wrong[0]]]} in one table and {first.classes[second.y_true[wrong[0]]]} in "
            "the other. Evaluate both runs on the same data."
        )
    return second


def _compare_auroc(table, k, scores, *, draws, seed):
    """Difference of two AUROCs of class k against the others; nulls where a kind has fewer than two patients."""
    is_class = table.y_true == k
    if min(is_class.sum(), (~is_class).sum()) == 0 or fewest_patients(is_class, table.patient_ids) < MIN_PATIENTS:
        return dict.fromkeys(("first", "second", "difference", "ci95", "p_value", "p_value_permutation"))
    found = auroc_difference(is_class, scores, table.patient_ids)
    p_value = permutation_test(is_class, scores, table.patient_ids, draws=draws, seed=seed)
    return found | {"p_value_permutation": p_value}
