"""What a run that may be unsure says about files: columns of the table of answers. No TensorFlow."""

import numpy as np

from medxray.errors import ConfigError, RunError

COLUMNS = ("answered", "prediction_set")


def abstain_point(unsure, risk, *, path, origin=None):
    """From which log-odds on images are answered, so that an error is kept.

    Args:
        unsure: metrics.unsure.Unsure of the run, or None.
        risk: the error among answered patients, above 0 and below 1.
        path: of the run, for messages.
        origin: path of the run that it was adapted from, for messages; None where it was not.

    Returns:
        metrics.selective.AbstainPoint.

    Raises:
        ConfigError: `risk` is no such number, or validation patients do not allow it.
        RunError: the run was adapted to another place, or is of a version that stored nothing about being unsure.
    """
    if not 0 < risk < 1:
        raise ConfigError(f"--abstain must be an error above 0 and below 1, such as 0.05. Received {risk:g}.")
    if unsure is None and origin is not None:
        raise RunError(
            f"{path} was adapted to another place, and when to abstain was calibrated on patients of the first one: "
            f"nothing is known for the new one. Leave --abstain out, or ask the run it was adapted from: {origin}"
        )
    if unsure is None:
        raise RunError(
            f"{path} was trained by a version that did not compute when to abstain. Compute it from the run's "
            f"validation predictions with: medxray unsure {path}"
        )
    point = unsure.abstention.point(risk)
    if point is None:
        raise ConfigError(unsure.obstacle(risk))
    return point


def with_unsure(table, logits, point, *, unsure, decision, classes):
    """A table of answers with what is answered at a point, and prediction sets.

    Args:
        table: DataFrame of `table.answer_table`.
        logits: float array (n,K), in its order.
        point: metrics.selective.AbstainPoint.
        unsure: metrics.unsure.Unsure.
        decision: metrics.decision.Decision.
        classes: names of the K classes.

    Returns:
        DataFrame with `answered` (bool; None where there is an error) and `prediction_set` (tuple of class names; empty
        where there is an error) besides.
    """
    logits, failed = np.asarray(logits, np.float64), (table["error"] != "").to_numpy()
    answered = np.where(failed, None, unsure.answered(logits, decision, point).astype(object))
    sets = [
        () if error else tuple(name for name, inside in zip(classes, row, strict=True) if inside)
        for error, row in zip(failed, unsure.prediction_sets(logits, decision), strict=True)
    ]
    found = np.empty(len(table), object)
    found[:] = sets
    return table.assign(answered=answered, prediction_set=found)


def sets_as_text(table):
    """The table for a CSV: the classes of each set joined by "|"."""
    if "prediction_set" not in table:
        return table
    return table.assign(prediction_set=["|".join(names) for names in table["prediction_set"]])
