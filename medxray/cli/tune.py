"""`medxray tune`."""

import click

from medxray.cli.command import command
from medxray.cli.config_options import configuration, untracked_options
from medxray.cli.options import PATH
from medxray.cli.types import RUN, Choice
from medxray.studies.tuning.choices import CLEAN, JUDGED_ON, OBJECTIVES
from medxray.training.config import TrainConfig

_TRIALS = 20


@command(
    examples=[
        "medxray tune --arch efficientnet-lite0 --data data/chest_xray --trials 30",
        "medxray tune --search learning-rate=1e-4:1e-2,dropout --trials 10",
    ]
)
@untracked_options(TrainConfig)
@click.option("--config", "config_file", type=PATH, help="TOML file with any options of `medxray train`.")
@click.option(
    "--search",
    multiple=True,
    metavar="NAME[=VALUES],...",
    help="Options to search, by their names, with LOW:HIGH or A/B/C where the usual values are not wanted. Default: "
    "all of learning-rate, weight-decay, dropout, l2, label-smoothing, head-units, head-norm, augment and unfreeze-to "
    "that the mode has and that are not given.",
)
@click.option("--trials", type=click.IntRange(1), metavar="N", help=f"Trials in all. Default: {_TRIALS}.")
@click.option("--objective", type=Choice(OBJECTIVES), help="Figure that is searched for. Default: auroc.")
@click.option(
    "--judge-on",
    type=Choice(JUDGED_ON),
    help="Validation images as they are, under shifts, or of kinds that training does not see. Default: clean.",
)
@click.option("--no-pruning", is_flag=True, help="Train every trial to its end.")
@click.option("--resume", type=RUN, metavar="SEARCH", help="Go on with a search; takes no other option than --trials.")
def tune(config_file, search, trials, objective, judge_on, no_pruning, resume, **options):
    """Search for options of a training, judged on validation images.

    Takes the options of `medxray train`, which all trials share. The same command again, or --resume, goes on up to N
    trials; several processes may work on one search. Train what it has found: medxray train --config
    runs/NAME/best.toml
    """
    given = {name: value for name, value in options.items() if value is not None}
    if resume and (given or config_file or search or objective or judge_on or no_pruning):
        raise click.UsageError("--resume takes no other option than --trials: the search knows its options.")
    config = None if resume else configuration(TrainConfig, config_file, given)
    from medxray.studies.tuning.installed import check_optuna
    from medxray.studies.tuning.space import search_space

    check_optuna()
    space = None if resume else search_space(search, config)
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray.studies.tuning.tune import begin, go_on

    if resume:
        found = go_on(resume, trials=trials)
    else:
        what = {"objective": objective or "auroc", "judge_on": judge_on or CLEAN, "pruning": not no_pruning}
        found = begin(config, space, trials=trials or _TRIALS, **what)
    for line in found.lines:
        click.echo(line)
