"""The report of a run, in which it may stand beside other runs on the same patients."""

import functools
from pathlib import Path

from medxray.metrics.curves import roc_points
from medxray.report import report
from medxray.report.elements import bullets, chart, joined, table
from medxray.report.section import MUTED, Section, axis, chart_data, line, points
from medxray.studies import comparison_text
from medxray.studies.compare import FIGURES, compared

_TABLES = (
    (comparison_text.figure_rows, "Figures of the runs, with 95 % intervals by patient"),
    (comparison_text.shifted_rows, "Means over shifted views of the runs, with 95 % intervals by patient"),
    (comparison_text.group_rows, "Means of each group of shifted views, and the lowest of a view"),
    (comparison_text.pair_rows, "Tests of each pair"),
    (comparison_text.error_rows, "What one run alone labels rightly or wrongly"),
)
_KEY = "comparison"
_SHIFT = 0.09  # of a run beside another one, in places of a figure


def write_report(run, out=None, *, compare=(), common=False):
    """Write the report of a completed run as one HTML file, see `report.report.write_report`.

    Args:
        run: its directory.
        out: the file; None: `report.html` in the run.
        compare: directories of other runs that stand beside it.
        common: compare the images that all runs have; else runs with different images are refused.

    Returns:
        pathlib.Path of the file.

    Raises:
        RunError: there is no such run, it is not complete, or nothing of it was evaluated.
        ConfigError, DataError: its files are damaged, or the runs cannot be compared.
        StorageError: the file cannot be written.
    """
    beside = functools.partial(comparison, others=list(compare), common=common) if compare else None
    return report.write_report(run, out, beside=beside)


def stands_beside_others(file):
    """Whether a report (path of the HTML file) sets its run beside others."""
    return f'<section id="{_KEY}"' in Path(file).read_text(encoding="utf-8")


def comparison(contents, others, *, common):
    """Figures, paired tests and ROC curves of several runs.

    Args:
        contents: Contents of the first run.
        others: directories of the other runs.
        common: compare the images that all runs have.

    Raises:
        ConfigError, DataError, RunError: as for `studies.compare.compared`.
    """
    found = compared([contents.path, *others], split=contents.split, common=common)
    facts = found.to_dict()
    charts = {"compared": _figures(facts)}
    places = [chart("compared", "Figures of the runs side by side; the numbers stand in the table.")]
    if found.members[0].predictions.is_binary:
        charts["compared-roc"] = _roc(found.members)
        places.append(chart("compared-roc", "ROC curves of the runs; AUROCs stand in the table."))
    tables = [table(rows, caption=words) for rows, words in ((of(facts), words) for of, words in _TABLES) if rows]
    body = joined(*places, *tables, bullets(comparison_text.remarks(facts)))
    return Section(_KEY, "Compared runs", body, charts)


def _figures(facts):
    names, count = list(FIGURES), len(facts["runs"])
    series = []
    for number, run in enumerate(facts["runs"]):
        known = [(place, run[name]) for place, name in enumerate(names) if run[name]["value"] is not None]
        places = [place + _SHIFT * (number - (count - 1) / 2) for place, _ in known]
        bounds = [figure["ci95"] or [figure["value"]] * 2 for _, figure in known]
        low, high = ([bound[at] for bound in bounds] for at in (0, 1))
        values = [figure["value"] for _, figure in known]
        series.append(points(run["name"], places, values, colour=number, low=low, high=high))
    x = axis("", names=list(FIGURES.values()))
    return chart_data(series, x=x, y=axis("value, 95 % intervals"))


def _roc(members):
    series = [line("chance", [0, 1], [0, 1], colour=MUTED, dash="dot")]
    for number, member in enumerate(members):
        score = member.predictions.log_odds(member.decision.calibration)[:, 1]
        positive = member.predictions.is_positive
        if positive.any() and not positive.all():
            series.append(line(member.name, *roc_points(positive, score), colour=number))
    x, y = axis("false positive rate", range=(-0.02, 1.02)), axis("sensitivity", range=(-0.02, 1.02))
    return chart_data(series, x=x, y=y, square=True)
