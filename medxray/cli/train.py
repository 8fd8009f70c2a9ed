"""`medxray train`."""

import click

from medxray.cli.config_options import train_and_report, train_command
from medxray.cli.report import report_after_training
from medxray.training.config import TrainConfig

_seeds = click.option(
    "--seeds",
    type=click.IntRange(2),
    metavar="N",
    help="Train N runs with the seeds --seed, --seed + 1, ... on one split, and report mean and standard deviation.",
)
_kfold = click.option(
    "--kfold",
    type=click.IntRange(2),
    metavar="K",
    help="Cross-validate: K runs, each tested on the patients of one of K folds; their predictions are pooled.",
)


@train_command(
    TrainConfig,
    examples=[
        "medxray train --arch vgg16 --mode finetune --data data/chest_xray",
        "medxray train --resume runs/latest",
    ],
    seeds=_seeds,
    kfold=_kfold,
)
def train(config, resume, seeds, kfold):
    """Train a classifier, evaluate it and export it.

    Writes a run directory under runs/ and a SavedModel under saved_models/. The threshold and the calibration come
    from validation patients, the figures from test patients.
    """
    from medxray.runs.study_directory import is_study

    if seeds and kfold:
        raise click.UsageError("Give --seeds or --kfold, not both.")
    if seeds or kfold or (resume and is_study(resume)):
        _train_study(config, resume, seeds, kfold)
    else:
        train_and_report(config, resume)


def _train_study(config, resume, seeds, kfold):
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray.cli.summary import aligned
    from medxray.metrics.counts import images_and_patients
    from medxray.runs.study_directory import StudyDir
    from medxray.studies import repeat

    if resume:
        study = StudyDir(resume)
        report = repeat.finish_study(study)
    else:
        study, report = repeat.begin_study(config, repeat.SEEDS if seeds else repeat.FOLDS, seeds or kfold)
    click.echo(f"Tested on {images_and_patients(report)}")
    for line in aligned(repeat.kind_of(study).rows(report)):
        click.echo(line.rstrip())
    for run in report["runs"]:
        click.echo(f"Run: {run}")
        report_after_training(run)
    click.echo(f"Study: {study.path}")
