"""`medxray explain evaluate`."""

import click

from medxray.cli.command import command
from medxray.cli.options import (
    PATH,
    check_data_options,
    json_option,
    other_data_options,
    run_argument,
    split_options,
)
from medxray.cli.printing import print_report
from medxray.cli.types import Names
from medxray.explain.methods import METHODS


@command(
    examples=[
        "medxray explain evaluate runs/latest",
        "medxray explain evaluate runs/latest --method gradcam,rise --images 16",
    ]
)
@run_argument
@split_options
@click.option(
    "--method",
    "methods",
    type=Names(METHODS),
    metavar="NAME[,NAME...]",
    help="Methods to check, or all; default: those that take one pass forth and back.",
)
@click.option("--masks", type=PATH, metavar="DIR", help="Folder of masks that are named like the images.")
@click.option("--boxes", type=PATH, metavar="CSV", help="Boxes: patientId,x,y,width,height,Target as of RSNA.")
@click.option(
    "--images",
    type=click.IntRange(min=2),
    help="Images at most, as many of each class as there are. Default: 64; 16 for methods of over 100 passes a map.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the sample and all draws.")
@click.option("--out", type=PATH, metavar="DIR", help="Folder to write to; default: in the run.")
@other_data_options
@json_option
def evaluate(run, data, split, methods, masks, boxes, images, seed, out, label_map, exclude_known, as_json, **columns):
    """Say how far the maps of explanation methods can be trusted.

    Covers, uncovers and imputes what maps call important, replaces the model's weights by random ones, repeats with
    another seed and, where masks or boxes are known, looks whether maps point at them. Results of the run's own split
    go to RUN/evaluations/<split>/explanations.
    """
    check_data_options(data, label_map=label_map, exclude_known=exclude_known, **columns)
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api

    request = {"methods": methods, "images": images, "seed": seed, "masks": masks, "boxes": boxes}
    how = {"label_map": label_map, "columns": columns, "exclude_known": bool(exclude_known)}
    report, folder = api.load_run(run).write_checks(data, split=split, out=out, **request, **how)
    print_report(report, folder, as_json, _print)


def _print(report):
    from medxray.cli.summary import aligned
    from medxray.explain.checks.verdicts import explanation_lines, table_rows

    counts = ", ".join(f"{number} {name}" for name, number in report["classes"].items())
    click.echo(f"{report['n']} images of {report['n_patients']} patients ({counts}); explained: {report['explained']}")
    for line in (*aligned(table_rows(report)), *explanation_lines(report)):
        click.echo(line)
