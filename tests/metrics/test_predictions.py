"""The table of predictions survives writing and refuses what does not fit together."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medxray.errors import DataError
from medxray.metrics.calibration import Calibration
from medxray.metrics.decision import Decision
from medxray.metrics.prediction_table import FIXED_COLUMNS, prediction_table, read_predictions, write_predictions
from medxray.metrics.predictions import Predictions
from medxray.metrics.thresholds import OperatingPoint

AT_HALF = Decision(OperatingPoint(0.5, "0.5", "fixed"))


def test_probabilities_are_calibrated_and_raw_ones_are_the_softmax(make_predictions):
    part = make_predictions([0, 1], [[0.0, np.log(3.0)], [np.log(4.0), 0.0]])
    np.testing.assert_allclose(part.raw_probabilities, [[0.25, 0.75], [0.8, 0.2]])
    np.testing.assert_allclose(part.score(Calibration(2.0)), [np.sqrt(3) / (1 + np.sqrt(3)), 1 / 3])
    np.testing.assert_allclose(part.score(Calibration(1.0, (0.0, np.log(2)))), [6 / 7, 1 / 3])


def test_log_probabilities_are_exact_where_probabilities_underflow(make_predictions):
    part = make_predictions([0], [[-2000.0, 0.0]])
    assert part.raw_probabilities[0, 0] == 0.0
    assert part.log_probabilities(Calibration())[0, 0] == -2000.0


def test_table_has_the_documented_columns_and_values(make_predictions):
    decision = Decision(OperatingPoint(0.7, "youden", "val"), Calibration(2.0, (0.0, np.log(2.0))))
    part = make_predictions([0, 1], [[0.0, 2 * np.log(3.0)], [0.0, 0.0]], subtypes=("", "virus"))
    table = prediction_table(part, decision)
    names = ["logit_NORMAL", "logit_PNEUMONIA", "probability_NORMAL", "probability_PNEUMONIA", "subtype"]
    assert list(table.columns) == [*FIXED_COLUMNS, *names]
    assert list(table["y_true"]) == ["NORMAL", "PNEUMONIA"]
    assert list(table["label"]) == ["PNEUMONIA", "NORMAL"]
    np.testing.assert_allclose(table["probability"], [6 / 7, 2 / 3])
    np.testing.assert_allclose(table["probability_NORMAL"], [1 / 7, 1 / 3])
    np.testing.assert_allclose(table["raw_probability"], [0.9, 0.5])
    assert list(table["threshold"]) == [0.7, 0.7]


def test_three_classes_show_the_probability_of_the_predicted_one(make_predictions):
    part = make_predictions([2], [[0.0, np.log(2.0), 0.0]])
    row = prediction_table(part, Decision(None)).iloc[0]
    assert (row["label"], row["y_true"], row["threshold"]) == ("BACTERIAL", "VIRAL", "")
    assert row["probability"] == pytest.approx(0.5)


def test_written_splits_are_read_back_bit_for_bit(simulate, tmp_path):
    splits = [simulate(40, split="val", seed=1), simulate(30, seed=2)]
    write_predictions(tmp_path / "predictions.csv", splits, AT_HALF)
    found = read_predictions(tmp_path / "predictions.csv")
    assert list(found) == ["val", "test"]
    for part in splits:
        again = found[part.split]
        assert again.logits.tobytes() == part.logits.tobytes()
        assert (again.paths, again.classes, again.positive, again.subtypes) == (
            part.paths,
            part.classes,
            part.positive,
            part.subtypes,
        )
        assert (again.y_true == part.y_true).all() and (again.patient_ids == part.patient_ids).all()


hostile_text = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    paths=st.lists(hostile_text, min_size=1, max_size=4),
    classes=st.lists(hostile_text, min_size=2, max_size=4, unique=True),
    values=st.lists(st.floats(-1e6, 1e6), min_size=16, max_size=16),
)
def test_any_text_and_any_number_survive_the_file(tmp_path_factory, paths, classes, values):
    count, k = len(paths), len(classes)
    part = Predictions(
        paths=tuple(paths),
        patient_ids=np.array(paths, dtype=str),
        y_true=np.arange(count) % k,
        logits=np.resize(values, (count, k)),
        classes=tuple(classes),
        positive=classes[-1] if k == 2 else None,
        split="test",
    )
    file = tmp_path_factory.mktemp("hostile") / "predictions.csv"
    write_predictions(file, [part], Decision(AT_HALF.threshold if k == 2 else None))
    again = read_predictions(file)["test"]
    assert again.paths == part.paths and again.classes == part.classes
    assert again.logits.tobytes() == part.logits.tobytes()


def test_windows_line_ends_are_understood(simulate, tmp_path):
    file = tmp_path / "predictions.csv"
    part = simulate(12)
    write_predictions(file, [part], AT_HALF)
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    again = read_predictions(file)["test"]
    assert again.logits.tobytes() == part.logits.tobytes() and again.subtypes == part.subtypes


def test_where_selects_rows_of_every_column(simulate):
    part = simulate(20)
    chosen = part.where(part.is_positive)
    assert set(chosen.y_true) == {1} and len(chosen) == part.is_positive.sum()
    assert chosen.paths == tuple(np.array(part.paths)[part.is_positive])
    assert len(chosen.subtypes) == len(chosen.patient_ids) == len(chosen.logits) == len(chosen)


def damage(path, column, row, value):
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[row, column] = value
    table.to_csv(path, index=False)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("y_true", "SICK", r"y_true must be one of NORMAL, PNEUMONIA\. Received 'SICK' \(.*row 4\)"),
        ("logit_NORMAL", "high", r"logit_NORMAL must be a finite number\. Received 'high' \(.*row 4\)"),
        ("logit_PNEUMONIA", "nan", r"Received 'nan' \(.*row 4\)"),
        ("logit_PNEUMONIA", "-inf", r"Received '-inf' \(.*row 4\)"),
        ("logit_PNEUMONIA", "", r"Received '' \(.*row 4\)"),
        ("logit_PNEUMONIA", "True", r"Received 'True' \(.*row 4\)"),
    ],
)
def test_a_damaged_cell_is_named_with_its_row(simulate, tmp_path, column, value, message):
    file = tmp_path / "predictions.csv"
    write_predictions(file, [simulate(10)], AT_HALF)
    damage(file, column, 2, value)
    with pytest.raises(DataError, match=message):
        read_predictions(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a table of predictions"),
        (b"\xff\xfe\x00binary", "is not a table of predictions"),
        (b'path,"unclosed\n', "needs the columns|is not a table"),
        (b"a,b\n1,2,3\n1,2,3,4,5\n", "is not a table of predictions|needs the columns"),
        (b"path,label\nx,y\n", "missing: patient_id, split, y_true"),
        (",".join(FIXED_COLUMNS).encode() + b"\n", "needs a logit_<class> column"),
    ],
)
def test_a_file_that_is_no_table_of_predictions_is_refused(tmp_path, content, message):
    file = tmp_path / "predictions.csv"
    file.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_predictions(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"Cannot read the predictions .*absent\.csv: No such file"):
        read_predictions(tmp_path / "absent.csv")


def test_parts_that_do_not_fit_are_refused(make_predictions):
    good = {
        "paths": ("a", "b"),
        "patient_ids": ["p", "q"],
        "y_true": [0, 1],
        "logits": np.zeros((2, 2)),
        "classes": ("NORMAL", "PNEUMONIA"),
        "positive": "PNEUMONIA",
        "split": "test",
    }
    Predictions(**good)
    wrong = [
        ({"patient_ids": ["p"]}, "one entry of patient_ids per path"),
        ({"y_true": [0, 2]}, "y_true must lie between 0 and 1"),
        ({"positive": "NORMAL"}, "must be the last of two classes"),
        ({"positive": None}, "must be the last of two classes"),
        ({"classes": ("A", "A"), "positive": "A"}, "two or more different classes"),
        ({"subtypes": ("virus",)}, "one entry of subtypes per path"),
    ]
    for change, message in wrong:
        with pytest.raises(ValueError, match=message):
            Predictions(**good | change)


def test_logits_that_are_not_finite_name_the_image():
    with pytest.raises(DataError, match=r"Logits must be finite numbers.*for b\.png"):
        Predictions(("a.png", "b.png"), ["p", "q"], [0, 1], [[0.0, 1.0], [np.nan, 0.0]], ("N", "P"), "P", "test")


def test_a_score_needs_a_positive_class(simulate):
    with pytest.raises(ValueError, match="two classes only, not with NORMAL, BACTERIAL, VIRAL"):
        simulate(10, 3).score(Calibration())
