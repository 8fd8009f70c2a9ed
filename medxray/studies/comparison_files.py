"""A comparison of runs as files: JSON, CSV, Markdown, and the bar chart as PNG and SVG."""

from pathlib import Path

import pandas as pd

from medxray.metrics.shifts import FIGURES as SHIFT_FIGURES
from medxray.plots import style
from medxray.plots.comparison import ComparisonDisplay
from medxray.studies.compare import FIGURES, right_answers
from medxray.studies.comparison_text import SHIFTED, markdown
from medxray.system import storage


def write_comparison(comparison, found, folder):
    """Write a comparison into a folder.

    Args:
        comparison: compare.Comparison.
        found: its `to_dict`.
        folder: created when missing.

    Returns:
        list of pathlib.Path, the files.

    Raises:
        StorageError: the folder cannot be written.
    """
    folder = Path(folder)
    storage.check_place(folder)
    files = {
        name: folder / name for name in ("comparison.json", "comparison.md", "runs.csv", "tests.csv", "answers.csv")
    }
    storage.write_json(files["comparison.json"], found)
    storage.write_text(files["comparison.md"], markdown(found))
    storage.write_csv(files["runs.csv"], pd.DataFrame([_flat(run) for run in found["runs"]]))
    storage.write_csv(files["tests.csv"], pd.DataFrame([_flat(test) for test in found["tests"]]))
    storage.write_csv(files["answers.csv"], answers(comparison.members))
    views = shifted_views(found)
    if len(views):
        files["shifts.csv"] = folder / "shifts.csv"
        storage.write_csv(files["shifts.csv"], views)
    plot = bar_chart(found)
    drawn = [style.save(plot, folder / f"figures.{kind}") for kind in ("png", "svg")]
    return [*files.values(), *drawn]


def answers(members):
    """Which run labels which image rightly: DataFrame with path, patient_id, y_true and one column for each run."""
    first = members[0].predictions
    truth = [first.classes[label] for label in first.y_true]
    table = {"path": first.paths, "patient_id": first.patient_ids, "y_true": truth}
    right = right_answers(members)
    return pd.DataFrame(table | {f"right_{member.name}": row for member, row in zip(members, right, strict=True)})


def shifted_views(found):
    """Figures of every family and severity: DataFrame with one row for each run and view; empty without any."""
    return pd.DataFrame(
        {"run": run["name"], "group": entry.get("group"), "family": family, "severity": int(severity)}
        | {name: entry.get(name) for name in SHIFT_FIGURES}
        for run in found["runs"]
        for family, severities in (run["shift_families"] or {}).items()
        for severity, entry in severities.items()
    )


def bar_chart(found):
    """The figures of all runs as bars, clean and, where a run has them, under shifted views."""
    named = {**FIGURES, **SHIFTED}
    panels = {words: [run[name] for run in found["runs"]] for name, words in named.items()}
    panels = {words: figures for words, figures in panels.items() if any(figures)}
    names = [run["name"] for run in found["runs"]]
    return ComparisonDisplay(names, panels, report=found).plot()


def _flat(entry):
    """A dict whose figures (value and ci95) are spread over three columns; other nested values are left out."""
    flat = {}
    for name, value in entry.items():
        if isinstance(value, dict) and "value" in value:
            low, high = value.get("ci95") or (None, None)
            flat |= {name: value["value"], f"{name}_low": low, f"{name}_high": high}
        elif not isinstance(value, dict):
            flat[name] = value
    return flat
