"""Figures of shifted views as a table in colours."""

from medxray.evaluation.shift_text import group_rows, shift_lines
from medxray.report.elements import element, joined, paragraphs, table
from medxray.report.section import Missing, Section

_FIGURES = (
    ("auroc", "AUROC"),
    ("balanced_accuracy", "balanced accuracy"),
    ("sensitivity", "sensitivity"),
    ("specificity", "specificity"),
    ("ece", "ECE"),
)
_LOWEST, _WORST_ECE = 0.5, 0.3  # where the colour is strongest


def shifts(contents):
    """Each family at each severity, and the means of groups of families."""
    found = contents.shifts
    if found is None:
        command = f"medxray evaluate {contents.path} --shifts"
        return Missing("Shifted views (other framing, exposure, sharpness, noise)", "makes them", command)
    severities = list(dict.fromkeys(severity for part in found["families"].values() for severity in part))
    names = [(name, words, severity) for name, words in _FIGURES for severity in severities]
    rows = [["family", *(f"{words}, severity {severity}" for _, words, severity in names)]]
    rows.append(["unchanged", *(_cell(name, found["clean"].get(name)) for name, _, _ in names)])
    rows += [
        [family, *(_cell(name, part.get(severity, {}).get(name)) for name, _, severity in names)]
        for family, part in found["families"].items()
    ]
    note = [found["note"]] if found.get("note") else []
    body = joined(
        paragraphs(*shift_lines(found), *note),
        table(group_rows(found), caption="Means of groups, with 95 % intervals by patient"),
        table(rows, caption="Each family: the stronger the colour, the worse the figure"),
    )
    return Section("shifts", "Shifted views", body)


def _cell(name, value):
    if value is None:
        return element("td", "–")
    badness = value / _WORST_ECE if name == "ece" else (1 - value) / (1 - _LOWEST)
    share = round(100 * min(max(badness, 0.0), 1.0))
    return element("td", f"{value:.3f}", class_="heat-cell", style=f"--bad:{share}")
