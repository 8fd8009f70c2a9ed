"""`medxray doctor`."""

import click

from medxray.cli.command import command
from medxray.cli.options import json_option


@command(examples=["medxray doctor", "medxray doctor --json"])
@json_option
def doctor(as_json):
    """Say what is installed, what this machine has, and what is missing.

    Shows packages, extras and what they enable, processor, GPUs seen and used, memory, disk, caches and weights. The
    exit status is 1, with one line that says why, where something that medxray needs is missing or broken.
    """
    from medxray.doctor.findings import findings
    from medxray.errors import SetupError

    found = findings()
    if as_json:
        import json

        click.echo(json.dumps(found, indent=2, allow_nan=False))
    else:
        _print(found)
    if found["problems"]:
        raise SetupError(f"medxray cannot work here: {'; '.join(found['problems'])}")


def _print(found):
    from medxray.cli.summary import aligned
    from medxray.doctor.text import sections

    for title, rows in sections(found).items():
        click.echo(title)
        for line in aligned(rows, left=range(4)) if rows else ():
            click.echo(f"  {line.rstrip()}")
    for note in found["notes"]:
        click.echo(f"Note: {note}")
    if found["usable"]:
        click.echo("All that medxray needs is here.")
