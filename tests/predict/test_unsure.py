"""The columns that say what is answered, and the words where nothing can be promised."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medxray.errors import ConfigError, RunError
from medxray.metrics.calibration import Calibration
from medxray.metrics.conformal import PredictionSets
from medxray.metrics.decision import Decision
from medxray.metrics.selective import Abstention, Counts
from medxray.metrics.thresholds import OperatingPoint
from medxray.metrics.unsure import Unsure
from medxray.predict.table import answer_table
from medxray.predict.unsure import abstain_point, sets_as_text, with_unsure

HALF = Decision(OperatingPoint(0.5, "0.5", "fixed"), Calibration())


def unsure_at(*log_odds, threshold=1.0, patients=400):
    counts = {"clean": Counts((patients,), (0,))}
    sets = PredictionSets(0.9, log_odds, (60,) * len(log_odds))
    return Unsure(sets, Abstention(0.9, (threshold,), patients, counts))


def table_of(logits, errors, decision, unsure, classes):
    files = [Path(f"{row}.png") for row in range(len(logits))]
    names = {"classes": classes, "positive": classes[-1] if len(classes) == 2 else None, "decision": decision}
    point = abstain_point(unsure, 0.05, path="run")
    table = answer_table(files, logits, errors, **names)
    return with_unsure(table, logits, point, unsure=unsure, decision=decision, classes=classes)


def test_two_classes_are_answered_from_the_threshold_of_the_label_on():
    logits = np.array([[0.0, 1.5], [0.0, 0.9], [0.0, -0.9], [0.0, -1.0], [0.0, 0.0]])
    errors = ["", "", "", "", "no image"]
    found = table_of(logits, errors, HALF, unsure_at(0.5, -1.0), ("NORMAL", "ILL"))
    assert found["answered"].tolist() == [True, False, False, True, None]
    # NORMAL from 0.5, that is positive log-odds up to -0.5; ILL from -1 on
    assert found["prediction_set"].tolist() == [("ILL",), ("ILL",), ("NORMAL", "ILL"), ("NORMAL", "ILL"), ()]
    assert found["label"].tolist() == ["ILL", "ILL", "NORMAL", "NORMAL", ""]  # the label stands whatever is answered


def test_three_classes_and_the_table_of_a_csv():
    logits = np.log(np.array([[0.8, 0.15, 0.05], [0.45, 0.4, 0.15]]))
    classes = ("NORMAL", "BACTERIAL", "VIRAL")
    found = table_of(logits, ["", ""], Decision(None), unsure_at(0.0, -1.0, -math.inf), classes)
    assert found["answered"].tolist() == [True, False]
    assert found["prediction_set"].tolist() == [("NORMAL", "VIRAL"), ("NORMAL", "BACTERIAL", "VIRAL")]
    assert sets_as_text(found)["prediction_set"].tolist() == ["NORMAL|VIRAL", "NORMAL|BACTERIAL|VIRAL"]
    plain = pd.DataFrame({"path": ["a"]})
    assert sets_as_text(plain) is plain


@pytest.mark.parametrize("risk", [0, 1, -0.1, 5, math.nan])
def test_an_error_must_be_a_share(risk):
    with pytest.raises(ConfigError, match="--abstain must be an error above 0 and below 1, such as 0.05. Received"):
        abstain_point(unsure_at(0, 0), risk, path="run")


def test_what_cannot_be_kept_is_an_error_that_names_what_can():
    few = unsure_at(0, 0, patients=30)
    with pytest.raises(ConfigError, match=r"cannot be shown with 90 % confidence by 30 .*\(--abstain 0.074\)"):
        abstain_point(few, 0.05, path="run")
    assert abstain_point(few, 0.074, path="run").log_odds == 1.0


def test_a_run_of_an_earlier_version_names_the_command():
    with pytest.raises(RunError, match="with: medxray unsure runs/old"):
        abstain_point(None, 0.05, path="runs/old")
