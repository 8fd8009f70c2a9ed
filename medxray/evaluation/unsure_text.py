"""Prediction sets and abstention in words. No TensorFlow."""

from medxray.metrics.intervals import estimate_text
from medxray.metrics.selective import RISKS
from medxray.metrics.unsure import Unsure

ELSEWHERE = (
    "Both are calibrated on validation patients and hold for patients of the same population; for others, such as "
    "those of another hospital, nothing is promised."
)


def stored_lines(unsure, classes):
    """What a run has stored about being unsure, list of str.

    Args:
        unsure: metrics.unsure.Unsure.
        classes: names in the order of the logits.
    """
    counted = ", ".join(f"{name} {count}" for name, count in zip(classes, unsure.sets.patients, strict=True))
    views = " and ".join(unsure.views)
    lines = [f"Prediction sets at {100 * unsure.sets.level:g} % ({views} views of validation patients: {counted})."]
    for risk in RISKS:
        point = unsure.abstention.point(risk)
        if point is not None:
            answered = ", ".join(f"{100 * share:.1f} % ({name})" for name, share in point.coverage.items())
            lines.append(
                f"--abstain {risk:g} answers {answered} of {unsure.abstention.patients} validation patients; the error "
                f"among answered patients is below {100 * point.bound:.1f} % with "
                f"{100 * unsure.abstention.confidence:g} % confidence."
            )
    return [*lines, *unsure.messages(classes), ELSEWHERE]


def lines_of_record(record):
    """`stored_lines` of a record (dict as in run.json); empty where it has no block `unsure`."""
    found = record.get("unsure")
    return stored_lines(Unsure.from_dict(found), record["data"]["classes"]) if found else []


def set_rows(found):
    """How prediction sets do on a split, as rows of a table of text with a header; each patient counts once."""
    sets = found["sets"]
    rows = [[f"prediction sets at {100 * sets['level']:g} %", "patients", "class in set", "mean size"]]
    parts = {"all": sets} | sets["per_class"]
    for name, part in parts.items():
        patients = str(part["n_patients"]) if "n_patients" in part else ""
        rows.append([name, patients, *(_text(part[key]) for key in ("coverage", "mean_size"))])
    return rows


def abstain_rows(found):
    """Answers and errors at the stored operating points, as rows of a table of text with a header."""
    rows = [["--abstain", "answered", "error among answered"]]
    for point in found["abstain"]:
        met = point["bound"] is not None
        cells = [_text(point[key]) for key in ("answered", "error")] if met else ["-", "-"]
        rows.append([f"{point['risk']:g}", *cells])
    return rows


def shifted_lines(found):
    """How both do over shifted views, list of one str."""
    sets, lines = found["sets"], []
    classes = ", ".join(f"{name} {_text(part['coverage'])}" for name, part in sets["per_class"].items())
    lines.append(f"Prediction sets on shifted views: class in set {classes}; mean size {_text(sets['mean_size'])}.")
    points = [
        f"at {100 * point['risk']:g} % answered {_text(point['answered'])}, error {_text(point['error'])}"
        for point in found["abstain"]
        if point["bound"] is not None
    ]
    return [*lines, f"--abstain on shifted views: {'; '.join(points)}."] if points else lines


def _text(figure):
    return estimate_text(figure, undefined="-")
