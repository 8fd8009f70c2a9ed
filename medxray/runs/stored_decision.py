"""The decision on the record of a run, and when it is unsure. No TensorFlow."""

import logging

from medxray.errors import RunError
from medxray.metrics.decision import DEFAULT_POINT, Decision
from medxray.metrics.unsure import Unsure

log = logging.getLogger(__name__)


def stored_decision(record, path):
    """The Decision in run.json; without one (an interrupted run) 0.5 and no calibration, with a warning.

    Args:
        record: dict of run.json.
        path: directory of the run, for the warning.

    Raises:
        RunError: it is damaged, or does not fit the classes of the run.
    """
    if "decision" in record:
        return _fitting(Decision.from_dict(record["decision"]), record)
    log.warning(
        "This run was not evaluated, so it has no threshold or calibration of its own; 0.5 and none are used. "
        "Finish it with: medxray train --resume %s",
        path,
    )
    binary = record.get("data", {}).get("positive") is not None
    return Decision(DEFAULT_POINT if binary else None)


def stored_other_decision(record):
    """The Decision in run.json that is there for comparison, or None; errors as for `stored_decision`."""
    other = record.get("other_decision")
    return None if other is None else _fitting(Decision.from_dict(other), record)


def stored_unsure(record):
    """The Unsure in run.json, or None in a run of an earlier version.

    Raises:
        RunError: it is damaged, or does not fit the classes of the run.
    """
    if record.get("unsure") is None:
        return None
    unsure, classes = Unsure.from_dict(record["unsure"]), record["data"]["classes"]
    if len(unsure.sets.log_odds) != len(classes):
        raise RunError(
            f'The block "unsure" of run.json needs one threshold for each of the {len(classes)} classes of the run. '
            f"Received {len(unsure.sets.log_odds)}. Remove it, and compute it again with: medxray unsure RUN"
        )
    return unsure


def _fitting(decision, record):
    bias, classes = decision.calibration.bias, record["data"]["classes"]
    if len(bias) not in (0, len(classes)):
        raise RunError(
            f"A stored decision needs one bias for each of the {len(classes)} classes of the run. Received "
            f"{len(bias)} numbers. The run is damaged: train it again."
        )
    return decision
