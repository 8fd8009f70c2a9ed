"""The decision that a run was stored with."""

import pytest

from medxray.errors import RunError
from medxray.metrics.calibration import Calibration
from medxray.runs.stored_decision import stored_decision


def record(bias, classes=("NORMAL", "PNEUMONIA")):
    return {"data": {"classes": list(classes)}, "decision": {"threshold": None, "temperature": 1.5, "bias": bias}}


def test_stored_biases_are_those_of_the_classes():
    assert stored_decision(record([0.0, 0.5]), "run").calibration == Calibration(1.5, (0.0, 0.5))
    assert stored_decision(record([]), "run").calibration == Calibration(1.5)
    with pytest.raises(RunError, match="one bias for each of the 2 classes of the run. Received 3 numbers"):
        stored_decision(record([0.0, 0.5, 0.1]), "run")


def test_a_run_without_decision_is_not_calibrated(caplog):
    decision = stored_decision({"data": {"positive": "PNEUMONIA"}}, "runs/stopped")
    assert decision.calibration.is_identity and decision.threshold.value == 0.5
    assert "no threshold or calibration of its own" in caplog.text and "--resume runs/stopped" in caplog.text
