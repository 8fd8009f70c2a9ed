"""`medxray config show`."""

import click

from medxray.cli.command import group
from medxray.cli.types import RunPath


@group(examples=["medxray config show runs/latest"])
def config():
    """Look at the options of runs and of files for --config."""


@config.command(examples=["medxray config show runs/latest > again.toml", "medxray config show options.toml"])
@click.argument("source", metavar="RUN|FILE", type=RunPath(files=True))
def show(source):
    """Print the options of a run, a study or a search, or of a TOML file, as TOML that --config takes again.

    Options that were not given stand there with the values they had, or would have. Of a run, its name is left out.
    """
    from medxray.run_options import options_text

    click.echo(options_text(source), nl=False)
