"""`medxray unsure`."""

import click

from medxray.cli.command import command
from medxray.cli.options import run_argument
from medxray.cli.types import Choice


@command(examples=["medxray unsure runs/latest --level 0.95"])
@run_argument
@click.option(
    "--level",
    type=click.FloatRange(0.5, 1, max_open=True),
    default=0.975,
    show_default=True,
    help="Share of images of each class whose prediction set holds it.",
)
@click.option(
    "--views",
    type=Choice(("clean", "shifted")),
    help="Validation views that both are to hold on: unchanged, or shifted too. Default: as --decide-on in training.",
)
def unsure(run, level, views):
    """Compute prediction sets and abstention of a run again, from its own validation images.

    Every training does this at its end. The command is for runs of older versions, another level, and shifted views. It
    reads the stored validation predictions; with shifted views the validation images. An export made before keeps what
    it has.
    """
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.evaluation.unsure_text import stored_lines

    trained = api.load_run(run)
    for line in stored_lines(trained.refit_unsure(level=level, views=views), trained.classes):
        click.echo(line)
    click.echo(trained.directory.record_file)
