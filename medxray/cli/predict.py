"""`medxray predict`."""

import sys

import click

from medxray.cli.options import json_option, model_option


@click.command()
@click.argument("paths", nargs=-1, required=True)
@model_option
@json_option
@click.option("--csv", "csv_file", type=click.Path(), help="Write the table to this file.")
def predict(paths, model, as_json, csv_file):
    """Predict images: files, folders or glob patterns.

    The probability is that of the positive class, calibrated on validation patients; the label follows from the run's
    threshold. A file that cannot be read is listed with its reason and makes the exit status 1.
    """
    from medxray.backend import load_tensorflow

    load_tensorflow()
    from medxray import api, storage

    table = api.load_run(model).predict(paths)
    if csv_file:
        storage.write_csv(csv_file, table)
        click.echo(f"{csv_file}: {len(table)} rows", err=True)
    if as_json:
        import json

        click.echo(json.dumps(storage.plain(table.to_dict("records")), indent=2, allow_nan=False))
    elif not csv_file:
        _print(table)
    failed = table[table["error"] != ""]
    for row in failed.itertuples():
        click.echo(f"Error: {row.path}: {row.error}", err=True)
    sys.exit(1 if len(failed) else 0)


def _print(table):
    good = table[table["error"] == ""]
    width = max((len(label) for label in good["label"]), default=0)
    for row in good.itertuples():
        threshold = "" if row.threshold != row.threshold else f" (threshold {row.threshold:.3f})"
        click.echo(f"{row.label:<{width}}  {row.probability:.4f}{threshold}  {row.path}")
