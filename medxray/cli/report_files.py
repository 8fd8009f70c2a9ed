"""What commands that write files for images say about them."""

import sys

import click


def report_files(written):
    """Print what a WrittenFiles holds and exit, with 1 when a file could not be read."""
    for file in written.files:
        click.echo(file)
    for path, reason in written.refused.items():
        click.echo(f"Warning: {path}: {reason}", err=True)
    for path, reason in written.failures.items():
        click.echo(f"Error: {path}: {reason}", err=True)
    sys.exit(1 if written.failures else 0)
