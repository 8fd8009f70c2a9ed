"""The same training with several seeds: how much of a figure is luck?"""

import dataclasses

from medxray.metrics.over_models import mean_over_models
from medxray.studies.member import read_member
from medxray.studies.spreads import spreads


def member_config(study, config, number):
    """The configuration of the run with a number: its seed, and the split of the first run.

    Kinds of images that the first run holds out are held out of all, and `runs.holdouts` makes them say so. Augmented
    views follow `--augment-seed`, so one cache serves all runs.
    """
    own = {"seed": config.seed + number - 1}
    if number > 1:
        first = study.member(1).split_file.resolve()
        own |= {"split_file": str(first), "limit": None, "holdout": None, "clusters": None}
    return dataclasses.replace(config, **own)


def report(study):
    """Report the runs of a study together.

    Args:
        study: StudyDir.

    Returns:
        dict of JSON values: runs (their folders), seeds, n and n_patients of the test split, `figures`: dict figure ->
        values (one for each seed), mean, sd (standard deviation over seeds), lowest, highest, and for some by_patient
        (ci95 of the mean over seeds, of the patients alone).
    """
    members = [read_member(member.path, "test") for member in study.members()]
    predictions = [member.predictions for member in members]
    by_patient = mean_over_models(predictions, [member.decision for member in members])
    figures = spreads(members)
    for name in figures.keys() & by_patient.keys():
        figures[name]["by_patient"] = by_patient[name]["ci95"]
    return {
        "runs": [str(member.directory.path) for member in members],
        "seeds": [member.record["config"]["seed"] for member in members],
        "n": len(predictions[0]),
        "n_patients": predictions[0].n_patients,
        "figures": figures,
    }


def rows(found):
    """A report as rows of text with a header: mean, standard deviation over seeds, interval by patient, each seed."""
    header = ["", "mean", "sd over seeds", "95 % by patient", *(f"seed {seed}" for seed in found["seeds"])]
    table = []
    for name, figure in found["figures"].items():
        interval = figure.get("by_patient")
        words = f"[{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "-"
        mean, deviation, *each = (f"{number:.3f}" for number in (figure["mean"], figure["sd"], *figure["values"]))
        table.append([name, mean, deviation, words, *each])
    return [header, *table]
