"""Figures of shifted views in words. No TensorFlow."""

from medxray.metrics.intervals import estimate_text

MEANS = (
    ("mean_auroc", "AUROC"),
    ("balanced_accuracy", "balanced accuracy"),
    ("sensitivity", "sensitivity"),
    ("specificity", "specificity"),
)

_WORST = (("auroc", "AUROC"), ("balanced_accuracy", "balanced accuracy"))


def shift_lines(found):
    """What a report says about shifted views, in one or two lines.

    Args:
        found: dict of `metrics.shifts.evaluate_shifts`, or of `evaluation.shift_sample.sample_shifts`.

    Returns:
        list of str; empty where no view was evaluated.
    """
    if not found.get("families"):
        return []
    means = [f"{words} {estimate_text(found[name])}" for name, words in MEANS[:2]]
    ece = "" if found["mean_ece"] is None else f", ECE {found['mean_ece']:.3f}"
    lines = [f"Shifted views, mean of {_count(found)}: {', '.join(means)}{ece}."]
    worst = [_worst(found["worst"][name], words) for name, words in _WORST]
    return lines + [f"Lowest of them: {'; '.join(filter(None, worst))}."] if any(worst) else lines


def group_rows(found):
    """The means of each group as rows of a table of text, with a header."""
    rows = [["shifted views", *(words for _, words in MEANS), "ECE"]]
    parts = {"all": found} | found["groups"]
    for group, means in parts.items():
        ece = "-" if means["mean_ece"] is None else f"{means['mean_ece']:.3f}"
        rows.append([group, *(estimate_text(means[name], undefined="-") for name, _ in MEANS), ece])
    return rows


def _count(found):
    views = sum(map(len, found["families"].values()))
    return f"{views} views of {found['n']} images of {found['n_patients']} patients"


def _worst(view, words):
    if view is None:
        return ""
    return f"{words} {estimate_text(view)} ({view['family']}, severity {view['severity']})"
