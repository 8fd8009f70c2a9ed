"""`medxray gate`."""

import click

from medxray.cli.command import command
from medxray.cli.options import run_argument


@command(examples=["medxray gate runs/latest"])
@run_argument
def gate(run):
    """Fit the input gate of a run again, from its own images.

    Every training does this at its end. The command is for runs of older versions and for damaged gates; an export made
    before keeps the gate it has.
    """
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api

    trained = api.load_run(run)
    trained.refit_gate()
    click.echo(trained.directory.gate_file)
