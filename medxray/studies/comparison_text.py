"""A comparison of runs as text and tables."""

from medxray.evaluation.markdown import table, text
from medxray.metrics.counts import images_and_patients
from medxray.metrics.intervals import estimate_text
from medxray.studies.compare import ACCURACY, FIGURES
from medxray.system.storage import size_text

SHIFTED = {
    "shift_mean_auroc": "AUROC, shifted",
    "shift_average_precision": "AUPRC, shifted",
    "shift_precision": "precision, shifted",
    "shift_recall": "recall, shifted",
    "shift_f1": "F1, shifted",
    "shift_specificity": "specificity, shifted",
    "shift_balanced_accuracy": "balanced accuracy, shifted",
    "shift_ece": "ECE, shifted",
}
_OF_A_GROUP = (("mean_auroc", "AUROC"), ("balanced_accuracy", "balanced accuracy"))
_LOWEST = (("auroc", "lowest AUROC"), ("balanced_accuracy", "lowest balanced accuracy"))
NO_VALUE = "-"


def figure_rows(found):
    """The figures of unchanged images of the runs as rows of text with a header.

    Args:
        found: `compare.Comparison.to_dict`.
    """
    return _rows(found, {**FIGURES, ACCURACY: "accuracy"})


def shifted_rows(found):
    """The means over shifted views as rows of text with a header; empty where no run has any."""
    return _rows(found, SHIFTED)


def group_rows(found):
    """AUROC and balanced accuracy of each group of shifted views, and the lowest of a view, as rows with a header."""
    runs = [run for run in found["runs"] if run["shift_groups"]]
    if not runs:
        return []
    groups = dict.fromkeys(group for run in runs for group in run["shift_groups"])
    rows = [
        [run["name"], *(_of_group(run["shift_groups"].get(group)) for group in groups), *_lowest(run["shift_worst"])]
        for run in runs
    ]
    first = f"{', '.join(words for _, words in _OF_A_GROUP)} of shifted views"
    return [[first, *groups, *(words for _, words in _LOWEST)], *rows]


def _of_group(means):
    if means is None:
        return NO_VALUE
    values = (means[name]["value"] for name, _ in _OF_A_GROUP)
    return ", ".join(NO_VALUE if value is None else f"{value:.3f}" for value in values)


def _lowest(worst):
    """The view with the lowest of each figure: its value, family and severity."""
    views = ((worst or {}).get(name) for name, _ in _LOWEST)
    return [view and f"{view['value']:.3f} ({view['family']} {view['severity']})" or NO_VALUE for view in views]


def _rows(found, named):
    """Rows of some figures; a column of figures that no run has is left out."""
    columns = {name: words for name, words in named.items() if any(run[name] for run in found["runs"])}
    rows = [[run["name"], *(_estimate(run[name]) for name in columns)] for run in found["runs"]]
    return [["run", *columns.values()], *rows] if columns else []


def cost_rows(found):
    """Time, parameters, size and speed of the runs as rows of text with a header."""
    rows = [
        [
            run["name"],
            NO_VALUE if run["seconds"] is None else f"{run['seconds']:,.0f}",
            f"{run['parameters']:,}",
            size_text(run["model_bytes"]),
            f"{run['images_per_second']:.1f}",
        ]
        for run in found["runs"]
        if "parameters" in run
    ]
    return [["run", "seconds of training", "parameters", "size", "images/s"], *rows] if rows else []


def pair_rows(found):
    """The tests as rows of text with a header: the difference, its p-value and that adjusted by Holm's method."""
    rows = [
        [
            test["a"],
            test["b"],
            test["measure"],
            _difference(test["difference"]),
            _p_value(test["p"]),
            _p_value(test["p_holm"]),
            _p_value(test.get("p_permutation_holm")),
            test["test"],
        ]
        for test in found["tests"]
    ]
    return [["a", "b", "measure", "a - b", "p", "p (Holm)", "permutation (Holm)", "test"], *rows]


def error_rows(found):
    """What each run alone labels rightly or wrongly, as rows of text with a header."""
    rows = [
        [name, str(entry["right"]), str(len(entry["right_patients"])), str(entry["wrong"])]
        for name, entry in found["errors"]["only"].items()
    ]
    return [["run", "images that it alone labels rightly", "of patients", "that it alone labels wrongly"], *rows]


def remarks(found):
    """Sentences that belong to the tables, list of str."""
    errors = found["errors"]
    lines = [
        f"Of {images_and_patients(found)} of the {found['split']} split all runs label {errors['all_right']} images "
        f"rightly and {errors['all_wrong']} wrongly.",
        "Intervals are 95 % by patient. p-values of a measure are adjusted together by Holm's method.",
    ]
    if len(found["classes"]) > 2:
        lines.append("Precision, recall, F1, AUROC and AUPRC are means over the classes, each against the others.")
    lines += [
        f"{name}: {count} images that not all runs have are left out; figures of shifted views too."
        for name, count in found["left_out"].items()
    ]
    return lines + _of_shifts(found["runs"])


def _of_shifts(runs):
    """What the figures of shifted views are of, and which runs have none."""
    of = {}
    for run in runs:
        of.setdefault(_views_text(run["shift_views"]), []).append(run["name"])
    without = of.pop(None, [])
    if not of:
        return []
    named = {words: f" ({', '.join(names)})" if len(of) > 1 else "" for words, names in of.items()}
    lines = [f"Shifted views: {words}{names}." for words, names in named.items()]
    if len(of) > 1:
        lines.append("These differ, so compare shifted figures after `medxray evaluate RUN --shifts` of each run.")
    if without:
        lines.append(f"No shifted figures: {', '.join(without)}; `medxray evaluate RUN --shifts` makes them.")
    return lines


def _views_text(views):
    return views and f"{views['views']} of each of {images_and_patients(views)}"


def markdown(found):
    """The whole comparison as Markdown."""
    parts = ["# Comparison of runs", *map(text, remarks(found))]
    for title, rows in (
        ("Figures", figure_rows(found)),
        ("Shifted views", shifted_rows(found)),
        ("Groups of shifted views", group_rows(found)),
        ("Tests of each pair", pair_rows(found)),
        ("Errors", error_rows(found)),
        ("Cost", cost_rows(found)),
    ):
        if rows:
            header, *body = ([text(cell) for cell in row] for row in rows)
            parts += [f"## {title}", table(header, body)]
    return "\n\n".join([*parts, "Research use only: this is not a medical device."]) + "\n"


def _estimate(figure):
    return NO_VALUE if figure is None else estimate_text(figure, undefined=NO_VALUE)


def _difference(figure):
    if figure["value"] is None:
        return NO_VALUE
    value, *interval = (f"{number:+.3f}" for number in (figure["value"], *(figure["ci95"] or ())))
    return f"{value} [{', '.join(interval)}]" if interval else value


def _p_value(value):
    if value is None:
        return NO_VALUE
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
