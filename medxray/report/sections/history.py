"""How training went: losses, scores and learning rate of every epoch and stage."""

import numpy as np
import pandas as pd

from medxray.metrics.history import CALIBRATED, epochs_trained, kept_row, measured_table, stage_spans
from medxray.report.elements import chart, details, joined, table
from medxray.report.section import Missing, Section, axis, chart_data, line

_LOSS = (("loss", "training", 1), ("val_loss", "validation", 1), (CALIBRATED, "NLL after calibration, validation", 2))
_SCORES = (
    ("auroc", "AUROC, training", 0),
    ("val_auroc", "AUROC, validation", 0),
    ("accuracy", "accuracy, training", 2),
    ("val_accuracy", "accuracy, validation", 2),
)
_RATE = (("learning_rate", "learning rate", 3),)
_CHARTS = (
    ("history-loss", "loss", _LOSS, False),
    ("history-scores", "AUROC, accuracy", _SCORES, False),
    ("history-rate", "learning rate", _RATE, True),
)
_DIGITS = {"seconds": "{:.1f}", "learning_rate": "{:.3g}"}


def history(contents):
    """Charts over all stages, and the same numbers as a table."""
    if contents.history is None:
        return Missing("Training history", "This run was not trained by epochs, or its history.csv is gone.")
    table_ = measured_table(contents.history)
    charts, places = {}, []
    for key, words, columns, log in _CHARTS:
        series = _series(table_, columns)
        if not series:
            continue
        x = axis("epoch, all stages counted through")
        charts[key] = chart_data(series, x=x, y=axis(words, log=log), lines=_lines(table_))
        places.append(chart(key, f"Line chart of {words} over {len(table_)} epochs; the numbers stand in the table."))
    numbers = table([_header(table_), *_rows(table_)], caption="Every epoch of every stage")
    body = joined(*places, details("Numbers of every epoch", numbers))
    return Section("history", "Training history", body, charts)


def _series(table_, columns):
    epochs = epochs_trained(table_)
    found = []
    for name, words, colour in columns:
        values = pd.to_numeric(table_[name], errors="coerce") if name in table_ else pd.Series(dtype=float)
        if values.notna().any():
            dash = "solid" if name.startswith("val_") or name == "learning_rate" else "dot"
            found.append(line(words, epochs, values, colour=colour, dash=dash, marks=True))
    return found


def _lines(table_):
    """Vertical lines: where stages begin, and the epoch that was kept."""
    first = int(epochs_trained(table_)[0])
    spans = stage_spans(table_)
    lines = [{"x": (begin or first - 1) + 0.5, "label": f"stage {name}"} for name, begin, _ in spans]
    kept = kept_row(table_)
    return lines + ([] if kept is None else [{"x": int(epochs_trained(table_)[kept]), "label": "kept"}])


def _header(table_):
    return ["epoch in all", *(name.replace("_", " ") for name in table_.columns)]


def _rows(table_):
    for epoch, row in zip(epochs_trained(table_), table_.itertuples(index=False), strict=True):
        yield [int(epoch), *(_cell(name, value) for name, value in zip(table_.columns, row, strict=True))]


def _cell(name, value):
    number = pd.to_numeric(value, errors="coerce") if name not in ("stage", "epoch", "view") else np.nan
    if not np.isfinite(number):
        return "" if isinstance(value, float) else value
    return _DIGITS.get(name, "{:.4f}").format(number)
