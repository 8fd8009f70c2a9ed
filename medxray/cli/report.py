"""`medxray report`."""

from pathlib import Path

import click

from medxray.cli.command import command
from medxray.cli.options import PATH
from medxray.cli.types import RUN


@command(examples=["medxray report runs/latest", "medxray report runs/a --compare runs/b --out both.html"])
@click.argument("runs", metavar="RUN [--compare RUN...]", nargs=-1, required=True, type=RUN)
@click.option("--out", type=PATH, metavar="FILE", help="File to write; default: report.html in the run.")
@click.option("--gallery", is_flag=True, help="Compute Grad-CAM of at most 48 images first, and keep it in the run.")
@click.option("--compare", is_flag=True, help="Set the first run beside the other ones.")
@click.option("--common", is_flag=True, help="With --compare: the images that all runs have, where they differ.")
def report(runs, out, gallery, compare, common):
    """Write a run as one HTML file that works offline: curves, a slider for the threshold, images, model card.

    It shows what the run holds and says which command makes the rest.
    """
    run, *others = runs
    if bool(others) != compare:
        raise click.UsageError("One RUN is reported. To set it beside others: medxray report RUN --compare RUN...")
    if common and not compare:
        raise click.UsageError("--common is for --compare. Give both, or leave it out.")
    from medxray.report.report import write_report

    if gallery:
        _keep_heatmaps(run)
    click.echo(write_report(run, out, compare=others, common=common))


def _keep_heatmaps(run):
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.report.heatmaps import keep_heatmaps

    keep_heatmaps(api.load_run(run))


def report_after_training(run):
    """Write the report of a run that was just trained, and say where; what hinders it is a warning."""
    from medxray.errors import MedxrayError
    from medxray.report.report import write_report

    try:
        file = Path(run) / write_report(run).name
        click.echo(f"Report: {file}")
    except MedxrayError as error:
        click.echo(f"Warning: the run is complete, but its report was not written. {error}", err=True)
