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
    from medxray.studies.compared_report import write_report

    if gallery:
        _keep_heatmaps(run)
    click.echo(write_report(run, out, compare=others, common=common))


def _keep_heatmaps(run):
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.report.heatmaps import keep_heatmaps

    keep_heatmaps(api.load_run(run))


def report_after_training(run, *, err=False):
    """Write the report of a new run, and say where (`err`: on standard error); what hinders it is a warning."""
    from medxray.errors import MedxrayError
    from medxray.report.report import write_report

    try:
        file = Path(run) / write_report(run).name
        click.echo(f"Report: {file}", err=err)
    except MedxrayError as error:
        click.echo(f"Warning: the run is complete, but its report was not written. {error}", err=True)


def renew_report(run, *written):
    """Write the report of a run again where it has one that shows what was just written, and say where.

    A report beside other runs is not known by its options, so the line says how to write it again.

    Args:
        run: trained_run.Run.
        *written: files or folders that are new.
    """
    shown = (run.directory.path / "evaluations", run.directory.embeddings_file)
    file = run.directory.report_file
    if not file.exists() or not any(Path(new).resolve().is_relative_to(one) for new in written for one in shown):
        return
    from medxray.errors import MedxrayError
    from medxray.studies.compared_report import stands_beside_others, write_report

    try:
        if stands_beside_others(file):
            old = f"{file} is older than that. Write it again: medxray report {run.path} --compare RUN..."
            click.echo(f"Warning: {old}", err=True)
        else:
            click.echo(f"Report: {write_report(run.path)}", err=True)
    except MedxrayError as error:
        click.echo(f"Warning: {file} was not written again. {error}", err=True)
