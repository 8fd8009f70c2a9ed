"""How far the figures of several runs differ."""

from medxray.metrics.over_models import spread

FIGURES = ("auroc", "average_precision", "balanced_accuracy", "sensitivity", "specificity", "accuracy", "f1", "brier")
SHIFTED = {"shift_mean_auroc": "mean_auroc", "shift_balanced_accuracy": "balanced_accuracy"}


def spreads(members):
    """Mean and spread of each figure over some runs: dict figure -> `metrics.over_models.spread`.

    Figures of shifted views are there where all runs have them; one that is not defined in a run is left out.

    Args:
        members: list of member.Member.
    """
    found = {name: spread([member.report[name]["value"] for member in members]) for name in FIGURES}
    if all(member.shifts for member in members):
        for name, key in SHIFTED.items():
            found[name] = spread([member.shifts[key]["value"] for member in members])
    return {name: figure for name, figure in found.items() if figure}
