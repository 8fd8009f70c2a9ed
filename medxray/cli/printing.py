"""What commands print at their end: a report as JSON or as text, and where it was written."""

import click


def print_report(report, folder, as_json, print_text):
    """Print a report, and then where it was written: with JSON that goes to standard error.

    Args:
        report: dict of JSON values.
        folder: that it was written to.
        as_json: print it as one JSON value.
        print_text: function (report) that prints it as text.
    """
    if as_json:
        import json

        click.echo(json.dumps(report, indent=2, allow_nan=False))
    else:
        print_text(report)
    click.echo(f"Written to {folder}", err=as_json)
