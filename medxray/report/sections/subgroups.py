"""Figures of parts of the split."""

from medxray.metrics.intervals import estimate_text
from medxray.report.elements import element, joined, table
from medxray.report.section import Missing, Section

_FIGURES = (
    ("sensitivity", "sensitivity"),
    ("specificity", "specificity"),
    ("auroc", "AUROC"),
    ("accuracy", "accuracy"),
)
_GROUPS = {"subtype": "subtype", "image_size": "image size", "brightness": "brightness"}


def subgroups(contents):
    """Subtypes, and quarters of image size and brightness."""
    rows = [["part", "images", "patients", *(words for _, words in _FIGURES)]]
    for group, parts in contents.report["subgroups"].items():
        rows += [_row(_GROUPS.get(group, group), name, figures) for name, figures in parts.items()]
    if len(rows) == 1:
        return Missing("Subgroups", "The data have no finer labels, and all images are of one size and brightness.")
    note = "The AUROC of a subtype sets its images against all negative images."
    caption = f"Parts of the {contents.split} split, with 95 % intervals by patient"
    return Section("subgroups", "Subgroups", joined(table(rows, caption=caption), element("p", note)))


def _row(group, name, figures):
    part = f"{group} {name}"
    if "range" in figures:
        low, high = figures["range"]
        part += f": {low:.4g} to {high:.4g} ({figures['unit']})"
    cells = (estimate_text(figures[key], undefined="–") if key in figures else "" for key, _ in _FIGURES)
    return [part, figures["n"], figures["n_patients"], *cells]
