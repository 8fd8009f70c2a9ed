"""`medxray explain audit`."""

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
from medxray.cli.report import renew_report


@command(examples=["medxray explain audit runs/latest", "medxray explain audit runs/latest --data site --images 32"])
@run_argument
@split_options
@method_option()
@sample_options(64)
@click.option("--out", type=PATH, metavar="DIR", help="Folder to write to; default: in the run.")
@other_data_options
@json_option
def audit(run, data, split, method, images, seed, out, label_map, exclude_known, as_json, **columns):
    """Say how far the answers of a model hang on borders, markers and image size.

    Replaces borders, corners and what is no lung, pastes markers, blanks the lungs out, and fits classifiers on image
    size, border pixels and what is outside the lungs alone. Results of the run's own split go to
    RUN/evaluations/<split>/audit, and a line to the model card.
    """
    check_data_options(data, label_map=label_map, exclude_known=exclude_known, **columns)
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.explain.checks.usual_method import usual_method

    loaded = api.load_run(run)
    request = {"method": method or usual_method(loaded.directory), "images": images, "seed": seed}
    how = {"label_map": label_map, "columns": columns, "exclude_known": bool(exclude_known)}
    report, folder = loaded.write_audit(data, split=split, out=out, **request, **how)
    print_report(report, folder, as_json, _print)
    renew_report(loaded, folder)


def _print(report):
    from medxray.cli.summary import aligned
    from medxray.explain.audit.verdict import audit_lines, change_rows, figure_rows, heat_rows

    counts = ", ".join(f"{number} {name}" for name, number in report["classes"].items())
    click.echo(
        f"{report['n']} of {report['available']} images, of {report['n_patients']} patients ({counts}); "
        f"{report['method']} for {report['explained']}"
    )
    for rows in (heat_rows(report), change_rows(report), figure_rows(report)):
        for line in ("", *aligned(rows)):
            click.echo(line)
    for line in ("", *audit_lines(report)):
        click.echo(line)
