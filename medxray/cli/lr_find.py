"""`medxray lr-find`."""

from pathlib import Path

import click

from medxray.cli.command import command
from medxray.cli.config_options import configuration, untracked_options
from medxray.cli.options import PATH
from medxray.training.config import TrainConfig


@command("lr-find", examples=["medxray lr-find --arch vgg16 --data data/chest_xray"])
@untracked_options(TrainConfig)
@click.option("--config", "config_file", type=PATH, help="TOML file with any of these options.")
@click.option("--out", type=PATH, default="lr-find", show_default=True, help="Folder for curves and pictures.")
def lr_find(config_file, out, **options):
    """Try learning rates before a training, and suggest one for each stage.

    Takes the options of `medxray train`. `medxray train --learning-rate auto` does the same and uses the suggestion.
    """
    given = {name: value for name, value in options.items() if value is not None}
    config = configuration(TrainConfig, config_file, given)
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.plots import style
    from medxray.plots.rate_curve import RateCurveDisplay
    from medxray.system import storage

    for stage, (curve, rate) in api.search_rates(config).items():
        table, picture = Path(out) / f"{stage}.csv", Path(out) / f"{stage}.png"
        storage.write_csv(table, curve)
        style.save(RateCurveDisplay(curve, stage=stage, suggested=rate).plot(), picture)
        click.echo(f"Stage {stage}: learning rate {rate:g} ({picture}, {table})")
