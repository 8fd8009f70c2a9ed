"""`medxray explain cohort`."""

import click

from medxray.cli.command import command
from medxray.cli.options import (
    PATH,
    check_data_options,
    json_option,
    method_option,
    other_data_options,
    run_argument,
    sample_options,
    split_options,
)
from medxray.cli.printing import print_report


@command(
    examples=["medxray explain cohort runs/latest", "medxray explain cohort runs/latest --method layercam --images 100"]
)
@run_argument
@split_options
@method_option()
@click.option("--class", "target", metavar="CLASS", help="Class to explain in every image.")
@sample_options(200)
@click.option("--out", type=PATH, metavar="DIR", help="Folder to write to; default: in the run.")
@other_data_options
@json_option
def cohort(run, data, split, method, target, images, seed, out, label_map, exclude_known, as_json, **columns):
    """Average heatmaps of normal and ill, right and wrong, and draw how they differ.

    Says how much of the heat lies in the border, in the lungs and elsewhere. Results of the run's own split go to
    RUN/evaluations/<split>/cohort.
    """
    check_data_options(data, label_map=label_map, exclude_known=exclude_known, **columns)
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.explain.checks.usual_method import usual_method

    loaded = api.load_run(run)
    request = {"method": method or usual_method(loaded.directory), "target": target, "images": images, "seed": seed}
    how = {"label_map": label_map, "columns": columns, "exclude_known": bool(exclude_known)}
    report, folder = loaded.write_cohort(data, split=split, out=out, **request, **how)
    print_report(report, folder, as_json, _print)


def _print(report):
    from medxray.cli.summary import aligned
    from medxray.explain.cohort.words import cohort_lines, cohort_rows

    click.echo(f"{report['n']} images of {report['n_patients']} patients; explained: {report['explained']}")
    for line in (*aligned(cohort_rows(report)), *cohort_lines(report)):
        click.echo(line)
