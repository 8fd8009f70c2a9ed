"""Where the heat of groups lies, as rows of a table and lines of text. No TensorFlow."""

from medxray.explain.cohort.figures import PLACES
from medxray.metrics.intervals import estimate_text


def cohort_rows(report):
    """A row for each group and each difference, with a header: list of lists of str.

    Args:
        report: dict of `cohort.write_cohort`.
    """
    rows = [["share of the heat", "images", "patients", *PLACES]]
    for name, found in report["groups"].items():
        cells = [found["note"]] if found["note"] else [estimate_text(found[place], undefined="-") for place in PLACES]
        rows.append([name, str(found["n"]), str(found["n_patients"]), *cells])
    for name, found in report["differences"].items():
        rows.append([name, "", "", *(estimate_text(found[place], undefined="-") for place in PLACES)])
    width = len(rows[0])
    return [row + [""] * (width - len(row)) for row in rows]


def cohort_lines(report):
    """What stands below the table: what a uniform map has, and which images do not count, list of str."""
    lines = [f"A map that is the same everywhere has {_uniform(report)}. Border: the outer tenth of the image."]
    lines += [f"{name} is left out: {why}." for name, why in report["not_compared"].items()]
    lungs = report["lung_fields"]
    if lungs["failed_images"]:
        lines.append(
            f"Lungs were found in {lungs['found']} of {report['n']} images; lungs and elsewhere are of these alone."
        )
    flat = sum(
        found.get("constant_maps", 0) for name, found in report["groups"].items() if name in ("correct", "wrong")
    )
    if flat:
        lines.append(f"{flat} maps have no heat and count nowhere.")
    return lines


def _uniform(report):
    """The mean share of the area of each place, over the images of all classes."""
    known = [found for found in report["groups"].values() if not found["note"]]
    if not known:
        return "36 % in the border"
    largest = max(known, key=lambda found: found["n"])
    values = [(place, largest[place]["uniform"]) for place in PLACES]
    return ", ".join(f"{value:.3f} {place}" for place, value in values if value is not None)
