"""`medxray train`."""

import click

from medxray.cli.config_options import train_and_report, train_command
from medxray.training.config import TrainConfig

_seeds = click.option(
    "--seeds",
    type=click.IntRange(2),
    metavar="N",
    help="Train N runs with the seeds --seed, --seed + 1, ... on one split, and report mean and standard deviation.",
)


@train_command(TrainConfig, seeds=_seeds)
def train(config, resume, seeds):
    """Train a classifier, evaluate it and export it.

    Writes a run directory under runs/ and a SavedModel under saved_models/. The threshold and the calibration come
    from validation patients, the figures from test patients.
    """
    from medxray.runs.study_directory import is_study

    if seeds or (resume and is_study(resume)):
        _train_study(config, resume, seeds)
    else:
        train_and_report(config, resume)


def _train_study(config, resume, seeds):
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray.cli.summary import aligned
    from medxray.metrics.counts import images_and_patients
    from medxray.runs.study_directory import StudyDir
    from medxray.studies.seeds import finish_seeds, seed_rows, train_seeds

    if resume:
        study = StudyDir(resume)
        report = finish_seeds(study)
    else:
        study, report = train_seeds(config, seeds)
    click.echo(f"Test split: {images_and_patients(report)}")
    for line in aligned(seed_rows(report)):
        click.echo(line.rstrip())
    for run in report["runs"]:
        click.echo(f"Run: {run}")
    click.echo(f"Study: {study.path}")
