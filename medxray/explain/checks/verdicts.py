"""What a check of explanation methods found, in words and as rows of a table. No TensorFlow."""

from medxray.explain.checks.perturbations import BETTER
from medxray.explain.checks.reference_maps import NAMES
from medxray.metrics.intervals import estimate_text

_FIGURES = (*BETTER, "hit_rate", "iou", "energy_inside", "gini", "border_share")
_MANY_CONSTANT = 0.25  # share of the maps
_HEADERS = ("deletion", "insertion", "ROAD", "hits", "IoU", "inside", "Gini", "border")


def verdict_line(name, found):
    """One line on a method: how it compares, what it passes, and how often it points at what is known.

    Args:
        name: of the method.
        found: dict of `figures.figures_of`, with `randomisation` and `repeatability`.

    Returns:
        str, such as "gradcam: better than random on deletion; not better than a centre blob; passes the randomisation
        check".
    """
    parts = [_against(found, reference, words) for reference, words in NAMES.items()]
    passed = found["randomisation"]["passed"]
    parts.append("passes the randomisation check" if passed else "FAILS the randomisation check")
    if found.get("n_localised"):
        parts.append(f"points at what is known in {estimate_text(found['hit_rate'])} of {found['n_localised']} images")
    if found["constant_maps"]:
        parts.append(_constant_words(found["constant_maps"], found["n"]))
    if isinstance(found["repeatability"], dict):
        parts.append(f"another seed gives maps with a rank correlation of {_number(_repeated(found))}")
    return f"{name}: {'; '.join(parts)}"


def _constant_words(constant, n):
    told = f"{constant} of {n} maps are the same everywhere"
    return told if constant < _MANY_CONSTANT * n else f"{told} and count as 0 there, so that check says little"


def _against(found, reference, words):
    """How the three faithfulness figures compare with those of a reference map."""
    groups = {"better than": [], "worse than": []}
    for figure, better in BETTER.items():
        interval = found[figure][f"minus_{reference}"]["ci95"]
        if interval is None:
            return f"too few images to compare with {words}"
        low, high = interval if better == "higher" else (-interval[1], -interval[0])
        if low > 0:
            groups["better than"].append(figure)
        elif high < 0:
            groups["worse than"].append(figure)
    told = [f"{how} {words} on {_joined(figures)}" for how, figures in groups.items() if figures]
    return ", ".join(told) or f"not better than {words}"


def _joined(figures):
    names = [figure.upper() if figure == "road" else figure for figure in figures]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def table_rows(report):
    """A row for each method and reference map, with a header, for a table of text.

    Args:
        report: dict of `evaluate.check_methods`.

    Returns:
        list of lists of str. Columns that no method has are left out.
    """
    entries = report["references"] | report["methods"]
    columns = [at for at, figure in enumerate(_FIGURES) if any(figure in found for found in entries.values())]
    header = ["", "n", *(_HEADERS[at] for at in columns), "random weights", "SSIM", "other images", "other seed"]
    rows = [header]
    for name, found in entries.items():
        values = [_number(found.get(_FIGURES[at], {}).get("value")) for at in columns]
        rows.append([name, str(found["n"]), *values, *_compared(found)])
    return rows


def _compared(found):
    """Cells on random weights and other seeds; empty ones for reference maps."""
    if "randomisation" not in found:
        return [""] * 4
    checked = found["randomisation"]
    figures = [_number(checked[name]) for name in ("rank_correlation", "ssim", "between_images")]
    seeded = isinstance(found["repeatability"], dict)
    return [*figures, _number(_repeated(found)) if seeded else found["repeatability"]]


def _repeated(found):
    return found["repeatability"]["rank_correlation"]


def explanation_lines(report):
    """What stands below the table: how to read it, what was left out, and the verdict on each method, list of str."""
    better = ", ".join(f"{_joined([figure])} {sign}" for figure, sign in BETTER.items())
    lines = [
        f"Better: {better}. A uniform map has .36 of its heat in the border. Random weights: rank correlation with the "
        "maps of the random network, which must not be above that of other images."
    ]
    regions = report["regions"]
    if regions is not None:
        fewer = {name: found["n_localised"] for name, found in report["methods"].items()}
        told = "".join(f", of {name} {n}" for name, n in fewer.items() if n != regions["n_localised"])
        lines.append(
            f"Hits, IoU and inside are of {regions['n_localised']} true positives{told} ({regions['source']})."
        )
    lines += _score_lines(report["scores"])
    lines += [f"{name}: {found['lowered']}." for name, found in report["methods"].items() if found["lowered"]]
    lines += [f"{name} is left out: {reason}" for name, reason in report["skipped"].items()]
    return [*lines, "", *(found["verdict"] for found in report["methods"].values())]


def _score_lines(scores):
    """A warning where images without any content score as high as the images themselves, list of str."""
    if max(scores["filled"], scores["blurred"]) < scores["original"]:
        return []
    return [
        f"Covered images score {scores['filled']:.2f} and blurred ones {scores['blurred']:.2f} in the mean, the images "
        f"themselves {scores['original']:.2f}: to cover or to blur speaks for the class by itself, so lower deletion "
        "and higher insertion say little here."
    ]


def _number(value):
    return "-" if value is None else f"{value:z.3f}"
