"""`medxray compare`."""

import click

from medxray.cli.command import command
from medxray.cli.options import PATH, json_option
from medxray.cli.printing import print_place
from medxray.cli.types import RUN, Choice


@command(
    examples=[
        "medxray compare runs/vgg16-finetune runs/efficientnet-lite0-full",
        "medxray compare runs/a runs/b --common --out comparison",
    ]
)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=RUN)
@click.option("--out", type=PATH, default="comparison", show_default=True, help="Folder for tables and bar charts.")
@click.option("--split", type=Choice(("val", "test")), default="test", show_default=True, help="Which split.")
@click.option("--common", is_flag=True, help="Compare the images that all runs have, where they differ.")
@json_option
def compare(runs, out, split, common, as_json):
    """Compare two or more runs on the same patients.

    Prints precision, recall, F1, AUROC and AUPRC with intervals by patient, clean and under shifted views, these also
    by group with the lowest of a view, paired tests with Holm's correction, on which patients one run alone is right,
    and what the runs cost. The figures are those that the runs have stored.
    """
    from medxray.system.backend import device_name, load_tensorflow

    load_tensorflow()
    from medxray.studies.compare import compared
    from medxray.studies.comparison_files import write_comparison
    from medxray.studies.cost import costs
    from medxray.system import storage

    comparison = compared(runs, split=split, common=common)
    found = storage.plain(comparison.to_dict(costs(comparison.members)) | {"device": device_name()})
    files = write_comparison(comparison, found, out)
    if as_json:
        import json

        click.echo(json.dumps(found, indent=2, allow_nan=False))
    else:
        _print(found)
    print_place(out, as_json, files=files)


def _print(found):
    from medxray.cli.summary import aligned
    from medxray.studies import comparison_text

    tables = (
        comparison_text.figure_rows,
        comparison_text.shifted_rows,
        comparison_text.group_rows,
        comparison_text.pair_rows,
        comparison_text.error_rows,
        comparison_text.cost_rows,
    )
    for rows in filter(None, (table(found) for table in tables)):
        for line in aligned(rows):
            click.echo(line.rstrip())
        click.echo()
    for line in comparison_text.remarks(found):
        click.echo(line)
    click.echo(f"Speed measured on: {found['device']}.")
