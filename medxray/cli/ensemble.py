"""`medxray ensemble`."""

import click

from medxray.cli.command import command
from medxray.cli.config_options import config_options, configuration, train_and_report
from medxray.cli.types import RUN
from medxray.ensemble.config import OPTIONS, PLACES, EnsembleConfig


@command(
    examples=[
        "medxray ensemble runs/vgg16-finetune runs/efficientnet-lite0-full --name both",
        "medxray ensemble runs/latest --tta 8",
    ]
)
@click.argument("runs", metavar="RUN...", nargs=-1, type=RUN)
@config_options(EnsembleConfig, (*OPTIONS, *PLACES))
@click.option(
    "--resume", type=RUN, metavar="RUN", help="Go on with an interrupted ensemble; takes no other option and no run."
)
def ensemble(runs, resume, **options):
    """Combine runs into one that answers with the mean of their calibrated log-odds.

    The runs have the same classes, input and split; a study stands for its runs. The result is a run as training leaves
    it, with threshold and calibration from validation patients, and a SavedModel that holds all of it. One run alone
    needs --tta or --mc.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if resume and (given or runs):
        raise click.UsageError("--resume takes no other option and no run: the ensemble knows its configuration.")
    config = None if resume else configuration(EnsembleConfig, None, {"members": runs, **given})
    train_and_report(config, resume)
