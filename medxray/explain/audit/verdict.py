"""What a shortcut audit found, in one line and as rows of tables. No TensorFlow."""

from medxray.explain.audit.regions import BORDER_PIXELS, LUNGS_MASKED, SHORTCUTS, SIZE
from medxray.metrics.intervals import estimate_text

MARKER_KEY = "flipped_by_marker"
_REGIONS = {f"changed_by_{region.name}": region for region in SHORTCUTS}
_CHANGES = {key: region.when for key, region in _REGIONS.items()} | {MARKER_KEY: "with a pasted marker"}
_PROBES = {SIZE: "image size", BORDER_PIXELS: "border pixels", LUNGS_MASKED: "pixels outside the lungs"}
_PLACES = {"border_share": "in the border", "outside_lungs_share": "outside the lungs"}


def verdict_line(report):
    """Which shortcut moves how many answers, where the heat lies, and how far shortcuts alone predict the class.

    Args:
        report: dict of `audit.write_audit`.

    Returns:
        str, such as "Most answers move with another image outside the lungs: 9.3 of 58 (0.161 [0.083, 0.271]); with
        another image's border: 3 of 64; with another image's upper corners: 1.7 of 64; with a pasted marker: 0 of 64.
        Counts with another image are means over 3 such images. Share of the heat in the border 0.480 [0.420, 0.540]
        (more than a uniform map has, 0.360), outside the lungs 0.510 [0.440, 0.580] (uniform 0.530). AUROC without the
        lungs 0.810 [0.690, 0.890], of image size alone 0.730 [0.640, 0.800], of border pixels alone 0.800 [0.720,
        0.860], of pixels outside the lungs alone 0.820 [0.740, 0.880]."
    """
    ranked = sorted(((report[key], when) for key, when in _CHANGES.items()), key=lambda one: -(one[0]["value"] or 0))
    tested = [one for one in ranked if one[0]["n"]]
    untested = [when for found, when in ranked if not found["n"]]
    parts = [_moved(tested)]
    if report["partners"] > 1:
        parts.append(f"Counts with another image are means over {report['partners']} such images.")
    parts += [f"Not tested, since no lungs were found: {', '.join(untested)}."] if untested else []
    return " ".join([*parts, _heat(report), _alone(report)])


def _moved(tested):
    if not any(found["changed"] for found, _ in tested):
        return f"No answer moves {'; '.join(_count(*one) for one in tested)}."
    first, *others = tested
    most = f"Most answers move {_count(*first)} ({estimate_text(first[0])})"
    return "; ".join([most, *(_count(*one) for one in others)]) + "."


def _count(found, when):
    return f"{when}: {_of_images(found)}"


def _of_images(found):
    """Such as "3 of 64", and "2.7 of 64" where the number is a mean."""
    return f"{found['changed']:.1f}".removesuffix(".0") + f" of {found['n']}"


def _heat(report):
    """How much of the heat lies where no lungs are, and where that is more than by chance by the whole interval."""
    parts = []
    for key, words in _PLACES.items():
        found = report[key]
        if found["value"] is not None:
            more = found["ci95"] is not None and found["ci95"][0] > found["uniform"]
            which = "more than a uniform map has," if more else "uniform"
            parts.append(f"{words} {estimate_text(found)} ({which} {found['uniform']:.3f})")
    return f"Share of the heat {', '.join(parts)}." if parts else "No map has heat."


def _alone(report):
    """AUROCs of what should not be enough."""
    parts = [f"without the lungs {_auroc(report['model']['without_lungs'])}"]
    parts += [f"of {words} alone {_auroc(report['shortcuts'][name])}" for name, words in probes_of(report)]
    return f"AUROC {', '.join(parts)}."


def probes_of(report):
    """(Name, words) of the shortcut classifiers that a report has; those of earlier versions have fewer: a list."""
    return [(name, words) for name, words in _PROBES.items() if name in report["shortcuts"]]


def _auroc(found):
    return estimate_text(found["auroc"], undefined="unknown")


def heat_rows(report):
    """Where the heat lies: rows with a header, list of lists of str."""
    rows = [["share of the heat", "", "uniform", "images"]]
    for key, words in _PLACES.items():
        found = report[key]
        uniform = "-" if found["uniform"] is None else f"{found['uniform']:.3f}"
        rows.append([words, estimate_text(found, undefined="-"), uniform, str(found["n"])])
    return rows


def change_rows(report):
    """Answers that change: rows with a header, list of lists of str."""
    rows = [["answers moved by", "another image's pixels", "", "the mean colour", ""]]
    for key, region in _REGIONS.items():
        rows.append([region.words, *_cells(report[key]), *_cells(report[key]["mean_colour"])])
    rows.append(["the lungs (no shortcut)", "", "", *_cells(report["changed_by_lungs"])])
    for severity, found in report[MARKER_KEY]["by_severity"].items():
        rows.append([f"a pasted marker, severity {severity}", *_cells(found), "", ""])
    return rows


def _cells(found):
    return [_of_images(found), estimate_text(found, undefined="-")]


def figure_rows(report):
    """How well the classes are told apart: rows with a header, list of lists of str."""
    rows = [["classes told apart by", "AUROC", "balanced accuracy", "images"]]
    parts = {
        "the model": report["model"]["unchanged"],
        "the model, lungs found": report["model"]["with_lungs"],
        "the model, lungs blanked out": report["model"]["without_lungs"],
    } | {f"{words} alone": report["shortcuts"][name] for name, words in probes_of(report)}
    for words, found in parts.items():
        figures = [estimate_text(found[name], undefined="-") for name in ("auroc", "balanced_accuracy")]
        rows.append([words, *figures, str(found["n"])])
    return rows


def audit_lines(report):
    """What stands below the tables: how to read them, and what does not count, list of str."""
    shortcuts = report["shortcuts"]
    lines = [f"What is alone is {shortcuts['judged']}. AUROC by chance: 0.500."]
    lines += [shortcuts["lungs"]] if "lungs" in shortcuts else []  # an earlier version did not look for them
    lines += [
        f"No figure for {words} alone: {shortcuts[name]['note']}."
        for name, words in probes_of(report)
        if shortcuts[name]["note"]
    ]
    lungs = report["lung_fields"]
    if lungs["failed_images"]:
        reasons = "; ".join(f"{count}: {why}" for why, count in lungs["failed"].items())
        lines.append(f"Lungs were found in {lungs['found']} of {report['n']} images ({reasons}).")
    if report["constant_maps"]:
        lines.append(f"{report['constant_maps']} maps have no heat and count in no share.")
    return [*lines, "", report["verdict"]]
