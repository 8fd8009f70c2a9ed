"""The same training with several seeds: how much of a figure is luck?"""

import dataclasses
import logging
import os

from medxray import api
from medxray.errors import ConfigError
from medxray.metrics.over_models import mean_over_models, spread
from medxray.runs.directory import command_line
from medxray.runs.study_directory import create_study
from medxray.studies.member import read_member
from medxray.system import storage
from medxray.training.config import config_from_dict

log = logging.getLogger(__name__)
WHAT = "seeds"
FIGURES = ("auroc", "average_precision", "balanced_accuracy", "sensitivity", "specificity", "accuracy", "f1", "brier")
SHIFTED = {"shift_mean_auroc": "mean_auroc", "shift_balanced_accuracy": "balanced_accuracy"}


def train_seeds(config, count):
    """Train a configuration with several seeds, `config.seed` and those after it, on one split; report them together.

    The split is that of the first run. Augmented views follow `--augment-seed`, so one cache serves all runs.

    Args:
        config: TrainConfig.
        count: number of seeds, 2 or more.

    Returns:
        (StudyDir, report: see `report_seeds`).

    Raises:
        ConfigError: `count` is below 2, or the configuration contradicts itself.
        MedxrayError: as for `api.train`. The study can then be resumed.
    """
    if count < 2:
        raise ConfigError(f"--seeds must be 2 or more. Received {count}.")
    config.resolved()  # refuses what contradicts itself
    study = create_study(config.anchored(), what=WHAT, runs=count, command=command_line())
    log.info("Study %s: %d seeds", study.path, count)
    return study, finish_seeds(study)


def finish_seeds(study):
    """Train what is missing of a study of seeds, and report all its runs together; the report.

    Args:
        study: StudyDir.
    """
    record = study.read_record()
    config = config_from_dict(record["config"], source=str(study.record_file))
    for number in range(1, record["runs"] + 1):
        _train_member(study, config, number)
    return report_seeds(study)


def report_seeds(study):
    """Report the runs of a study together and write that to its folder.

    Returns:
        dict of JSON values: runs (names), seeds, n and n_patients of the test split, `figures`: dict figure -> values
        (one for each seed), mean, sd (standard deviation over seeds), lowest, highest, and for some by_patient (ci95 of
        the mean over seeds, of the patients alone).
    """
    members = [read_member(member.path, "test") for member in study.members()]
    predictions = [member.predictions for member in members]
    by_patient = mean_over_models(predictions, [member.decision for member in members])
    figures = {name: spread([member.report[name]["value"] for member in members]) for name in FIGURES}
    for name, key in SHIFTED.items():
        if all(member.shifts for member in members):
            figures[name] = spread([member.shifts[key]["value"] for member in members])
    report = {
        "runs": [str(member.directory.path) for member in members],
        "seeds": [member.record["config"]["seed"] for member in members],
        "n": len(predictions[0]),
        "n_patients": predictions[0].n_patients,
        "figures": {
            name: found | ({"by_patient": by_patient[name]["ci95"]} if name in by_patient else {})
            for name, found in figures.items()
            if found
        },
    }
    report = storage.plain(report)
    storage.write_json(study.report_file, report)
    return report


def seed_rows(report):
    """The report as rows of text with a header: mean, standard deviation over seeds, interval by patient, each seed."""
    header = ["", "mean", "sd over seeds", "95 % by patient", *(f"seed {seed}" for seed in report["seeds"])]
    rows = []
    for name, found in report["figures"].items():
        interval = found.get("by_patient")
        words = f"[{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "-"
        numbers = [found["mean"], found["sd"], *found["values"]]
        mean, deviation, *each = (f"{number:.3f}" for number in numbers)
        rows.append([name, mean, deviation, words, *each])
    return [header, *rows]


def _train_member(study, config, number):
    """Train, resume, or leave as it is the run with a number."""
    member = study.member(number)
    if not member.record_file.exists():
        api.train(_of_member(study, config, number))
    elif member.read_record()["state"] != "completed":
        api.resume(member.path)


def _of_member(study, config, number):
    """The configuration of one run: its seed, its place, and the split of the first."""
    own = {"name": str(number), "runs_dir": str(study.path), "seed": config.seed + number - 1}
    own["saved_models_dir"] = os.path.join(config.saved_models_dir, study.name)
    if number > 1:
        first = study.member(1).split_file.resolve()
        own |= {"split_file": str(first), "limit": None, "holdout": None, "clusters": None}
    return dataclasses.replace(config, **own)
