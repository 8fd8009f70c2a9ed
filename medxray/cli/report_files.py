"""What commands that write files for images say about them."""

import sys

import click

from medxray.data.left_out import SHOWN


def report_failures(failures, *, ignore):
    """Print why images could not be read, the first of them, and return the exit status.

    Args:
        failures: dict path -> reason.
        ignore: only say how many they are; the status is 0 then.
    """
    if ignore and failures:
        click.echo(f"Warning: {len(failures)} files cannot be read.", err=True)
        return 0
    for path, reason in list(failures.items())[:SHOWN]:
        click.echo(f"Error: {path}: {reason}", err=True)
    if len(failures) > SHOWN:
        click.echo(f"Error: {len(failures) - SHOWN} more files have errors.", err=True)
    return 1 if failures else 0


def report_files(written, *, ignore):
    """Print what a WrittenFiles holds and exit, with 1 when a file could not be read and is not to be ignored."""
    from medxray.data.images.access import path_text

    for file in written.files:
        click.echo(path_text(file))
    for path, reason in written.refused.items():
        click.echo(f"Warning: {path}: {reason}", err=True)
    sys.exit(report_failures(written.failures, ignore=ignore))
