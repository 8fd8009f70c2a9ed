"""What commands that write files for images say about them."""

import sys

import click


def report_failures(failures, *, ignore):
    """Print why images could not be read and return the exit status.

    Args:
        failures: dict path -> reason.
        ignore: only say how many they are; the status is 0 then.
    """
    if ignore and failures:
        click.echo(f"Warning: {len(failures)} files cannot be read.", err=True)
    for path, reason in () if ignore else failures.items():
        click.echo(f"Error: {path}: {reason}", err=True)
    return 1 if failures and not ignore else 0


def report_files(written, *, ignore):
    """Print what a WrittenFiles holds and exit, with 1 when a file could not be read and is not to be ignored."""
    for file in written.files:
        click.echo(file)
    for path, reason in written.refused.items():
        click.echo(f"Warning: {path}: {reason}", err=True)
    sys.exit(report_failures(written.failures, ignore=ignore))
