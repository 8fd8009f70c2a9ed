"""Metrics as a few lines of text."""

from medxray.evaluation.shift_text import group_rows, shift_lines
from medxray.evaluation.unsure_text import abstain_rows, set_rows, shifted_lines
from medxray.metrics.counts import images_and_patients
from medxray.metrics.decision import SHIFTED, chosen_where
from medxray.metrics.intervals import estimate_text
from medxray.metrics.report import HEADLINE

OF_A_CLASS = ("auroc", "sensitivity", "precision")  # of each class, where there are three or more


def summary_lines(splits, *, further=()):
    """Lines of a table: one headline figure a row, one split a column, with 95 % intervals; remarks below it.

    Args:
        splits: dict split -> JSON object of the split.
        further: names of figures that a kind of run may have besides; they stand below the first one.

    Returns:
        list of str.
    """
    rows = [["", *splits], ["", *map(images_and_patients, splits.values())]]
    if any(report["fitted_here"] for report in splits.values()):
        rows.append(["", *("decision fitted here" if report["fitted_here"] else "" for report in splits.values())])
    first = next(iter(splits.values()))
    figures = [figure for figure in (HEADLINE[0], *further, *HEADLINE[1:]) if figure in first]
    rows += [
        [figure, *(estimate_text(report[figure], undefined="-") for report in splits.values())] for figure in figures
    ]
    several = len(first["classes"]) > 2
    lines = aligned(rows + _class_rows(splits) if several else rows)
    if several:
        lines.append("Figures without a class are means over the classes, each against the others.")
    if first["threshold"] is not None:
        point = first["threshold"]
        where = chosen_where(point["chosen_on"], first["decided_on"])
        lines.append(f"Threshold {point['value']:.4f} ({point['rule']}, chosen on: {where}).")
    lines.append(_calibration_line(first))
    lines += [_other_line(name, report["other_decision"]) for name, report in splits.items() if _compared(name, report)]
    lines += _unsure(*list(splits.items())[-1])
    for report in splits.values():
        lines += _shifts(report)
    return [*lines, *_remarks(splits)]


def _compared(name, report):
    return report.get("other_decision") is not None and not report["fitted_here"]


def _other_line(split, other):
    """Figures of the decision that is not used."""
    point = other["threshold"]
    views = "shifted views" if other["decided_on"] == SHIFTED else "unchanged images alone"
    named = "" if point is None else f" (threshold {point['value']:.4f})"
    shown = [name for name in ("sensitivity", "specificity", "accuracy") if name in other]
    figures = ", ".join(f"{name} {estimate_text(other[name], undefined='-')}" for name in shown)
    return " ".join([f"If decided on {views}{named}, {split}: {figures}.", *other.get("messages", ())])


def _unsure(split, report):
    """Prediction sets and abstention on a split, in which each patient counts once; nothing where the run has none."""
    if "unsure" not in report:
        return []
    found = report["unsure"]
    tables = [*aligned(set_rows(found)), "", *aligned(abstain_rows(found))]
    return ["", f"{split}, each patient once:", *tables, *found["messages"], ""]


def _shifts(report):
    """Lines on shifted views of a split: means by group and the worst view; of a sample, its means alone."""
    lines = []
    if "shifts" in report:
        lines += ["", *aligned(group_rows(report["shifts"])), "", *shift_lines(report["shifts"])]
        lines += shifted_lines(report["shifts"]["unsure"]) if "unsure" in report["shifts"] else []
    if "shifts_sample" in report:
        sample = report["shifts_sample"]
        lines += [*shift_lines(sample), sample["note"]]
    return lines


def _class_rows(splits):
    """A row for each figure of each class; the classes in the order of the first split."""
    names = next(iter(splits.values()))["classes"]
    return [
        [
            f"{figure} {name}",
            *(estimate_text(report["per_class"][name][figure], undefined="-") for report in splits.values()),
        ]
        for name in names
        for figure in OF_A_CLASS
    ]


def _calibration_line(report):
    """The temperature, and the bias of every class but the first, whose bias is 0."""
    calibration = report["calibration"]
    biases = zip(report["classes"][1:], calibration["bias"][1:], strict=True)
    named = ", ".join(f"{name} {bias:+.3f}" for name, bias in biases)
    return f"Calibration: temperature {calibration['temperature']:.3f}, bias {named}."


def aligned(rows, *, left=(0,)):
    """Lines of a table whose columns are as wide as their longest cell, two blanks apart.

    Args:
        rows: lists of str of one length.
        left: numbers of the columns whose cells stand to the left; those of others stand to the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    signs = ["<" if column in left else ">" for column in range(len(widths))]
    return ["  ".join(map("{:{}{}}".format, row, signs, widths)) for row in rows]


def _remarks(splits):
    """The notes of the reports, each once, with the splits it is of."""
    where = {}
    for name, report in splits.items():
        for note in dict.fromkeys(report["notes"]):
            where.setdefault(note, []).append(name)
    return [f"Note ({', '.join(names)}): {note}" for note, names in where.items()]
