"""What commands print at their end: a report as JSON or as text, and where it was written."""

import logging

import click

log = logging.getLogger(__name__)


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
    print_place(folder, as_json)


def print_place(folder, as_json, *, files=()):
    """Print where results were written, and the names of the files; beside JSON it is a message."""
    names = f": {', '.join(file.name for file in files)}" if files else ""
    (log.info if as_json else click.echo)(f"Written to {folder}{names}")
