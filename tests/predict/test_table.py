"""The table of answers: the same columns as the table of predictions, without patients or true classes."""

from pathlib import Path

import numpy as np
import pytest

from medxray.errors import DataError
from medxray.metrics.calibration import Calibration
from medxray.metrics.decision import Decision
from medxray.metrics.prediction_table import prediction_table
from medxray.metrics.thresholds import OperatingPoint
from medxray.predict.table import answer_table

BINARY = Decision(OperatingPoint(0.7, "0.7", "fixed"), Calibration(1.5, (0.0, 0.4)))
MANY = Decision(None, Calibration(2.0, (0.0, -0.5, 0.3)))


def answers(part, decision, errors):
    names = {"classes": part.classes, "positive": part.positive, "decision": decision}
    return answer_table(list(map(Path, part.paths)), part.logits.astype(np.float32), errors, **names)


@pytest.mark.parametrize(("classes", "decision"), [(2, BINARY), (3, MANY)])
def test_answers_are_those_of_the_table_of_predictions(simulate, classes, decision):
    part = simulate(30, classes)
    part = type(part)(**{**vars(part), "logits": part.logits.astype(np.float32)})
    table, expected = answers(part, decision, [""] * 30), prediction_table(part, decision)
    named = [f"probability_{name}" for name in part.classes]
    assert list(table) == ["path", "label", "probability", "raw_probability", "threshold", "error", *named]
    for name in ("path", "label", "probability", "raw_probability", *named):
        assert table[name].tolist() == expected[name].tolist(), name
    assert (table["threshold"] == 0.7).all() if classes == 2 else table["threshold"].isna().all()


def test_a_file_with_an_error_has_no_answer(simulate):
    part = simulate(3)
    table = answers(part, BINARY, ["", "no image", ""])
    assert table["error"].tolist() == ["", "no image", ""] and table["label"][1] == ""
    numbers = table[["probability", "raw_probability", "threshold", *table.columns[-2:]]]
    assert numbers.isna().all(axis=1).tolist() == [False, True, False]


def test_no_files_give_an_empty_table(simulate):
    table = answers(simulate(3).where([]), BINARY, [])
    assert len(table) == 0 and list(table)[:2] == ["path", "label"]


def test_logits_that_are_no_numbers_are_an_error_that_names_the_file(simulate):
    part = simulate(3)
    part.logits[2, 0] = np.nan
    with pytest.raises(DataError, match=f"Logits must be finite numbers. Received .* for {part.paths[2]}"):
        answers(part, BINARY, [""] * 3)
