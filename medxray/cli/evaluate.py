"""`medxray evaluate`."""

import click

from medxray.cli.command import command
from medxray.cli.options import (
    check_data_options,
    json_option,
    other_data_options,
    run_argument,
    split_options,
)
from medxray.cli.printing import print_place
from medxray.cli.report import renew_report


@command(examples=["medxray evaluate runs/latest --shifts", "medxray evaluate runs/latest --data site --exclude-known"])
@run_argument
@split_options
@click.option("--shifts", is_flag=True, help="Evaluate shifted views of all images, too, see docs/evaluation.md.")
@other_data_options
@json_option
def evaluate(run, data, split, shifts, label_map, exclude_known, as_json, **columns):
    """Evaluate a run with its stored threshold and calibration.

    Results of the run's own split go to RUN/evaluations/<split>, those of other data to RUN/external/.
    Images that the run was trained on are left out of other data, which stand beside the run's own test split.
    """
    check_data_options(data, label_map=label_map, exclude_known=exclude_known, **columns)
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.system import storage

    loaded = api.load_run(run)
    how = {"label_map": label_map, "columns": columns, "exclude_known": bool(exclude_known), "shifts": shifts}
    report, folder = loaded.write_evaluation(data, split=split, **how)
    if as_json:
        import json

        click.echo(json.dumps(storage.plain(report), indent=2, allow_nan=False))
    else:
        from medxray.cli.summary import summary_lines

        for line in (*summary_lines({report["split"]: report}, further=loaded.kind.figures), *_elsewhere(report)):
            click.echo(line)
    print_place(folder, as_json)
    renew_report(loaded, folder)


def _elsewhere(report):
    """The table of other data beside the own test split, where it is in a report, and what is to be said of it."""
    if "elsewhere" not in report:
        return []
    from medxray.cli.summary import aligned
    from medxray.evaluation.elsewhere_text import beside_test_rows

    found = report["elsewhere"]
    notes = [f"Note: {note}" for note in found["notes"]]
    return ["", *aligned(beside_test_rows(found)), found["line"], *notes]
