"""`medxray plot`."""

import sys

import click

from medxray.cli.command import command
from medxray.cli.options import PATH, run_argument
from medxray.cli.types import Choice


@command(
    examples=[
        "medxray plot runs/latest --kind roc --format svg --out figures",
        "medxray plot runs/latest",
    ]
)
@run_argument
@click.option(
    "--kind",
    "kinds",
    metavar="NAME[,NAME...]",
    default="all",
    show_default=True,
    help="roc, precision_recall, confusion, history and others; docs/plots.md lists them.",
)
@click.option(
    "--format",
    "suffix",
    type=Choice(("png", "svg", "pdf")),
    default="png",
    show_default=True,
    help="Kind of the files.",
)
@click.option(
    "--split",
    type=Choice(("train", "val", "test")),
    help="Which split; default: the test split, or else the first that has images.",
)
@click.option("--out", type=PATH, metavar="DIR", help="Folder for the files; default: plots of the split in the run.")
def plot(run, kinds, suffix, split, out):
    """Draw what a run holds: one file for each plot.

    No model is asked. What the run does not hold is told with the command that makes it.
    """
    from medxray.data.images.access import path_text
    from medxray.report.plots_of_run import ALL, draw_plots, plot_kinds

    files, lacking = draw_plots(run, plot_kinds(kinds), split=split, out=out, suffix=suffix)
    for file in files:
        click.echo(path_text(file))
    for kind, reason in lacking.items():
        click.echo(f"{'Not drawn' if kinds == ALL else 'Error'}: {kind}: {reason}.", err=True)
    sys.exit(1 if lacking and kinds != ALL else 0)
