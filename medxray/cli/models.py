"""`medxray models`."""

import click

from medxray.cli.command import command
from medxray.cli.options import json_option
from medxray.cli.types import Choice
from medxray.models.registry import ARCHITECTURES


@command(examples=["medxray models", "medxray models vgg16 efficientnet-lite0 --measure"])
@click.argument("names", metavar="[ARCH]...", nargs=-1, type=Choice(ARCHITECTURES))
@json_option
@click.option(
    "--measure",
    is_flag=True,
    help="Also time inference on this machine, in batches of 8: images per second, median of 5 passes.",
)
def models(names, as_json, measure):
    """List the architectures, or those that are named, with what they cost.

    Parameters and multiply-accumulates (GMACs: thousands of millions of them for one grey image of the default size)
    are those of the backbone, without the head. WEIGHTS are the pretrained ones that --weights of `medxray train` knows
    for the architecture, MODE is the mode that it takes where none is given.
    """
    from medxray.system.backend import device_name, load_tensorflow

    load_tensorflow()
    from medxray.models.overview import overview

    rows = overview(names or ARCHITECTURES, measure=measure)
    device = device_name() if measure else None
    _print_json(rows, device) if as_json else _print_table(rows, device)


def _print_json(rows, device):
    import json

    named = {"device": device} if device else {}
    click.echo(json.dumps([row | named for row in rows], indent=2, allow_nan=False))


def _print_table(rows, device):
    """One architecture a line; `device` is what was measured, None where nothing was."""
    columns = {
        "architecture": lambda row: row["name"],
        "parameters": lambda row: f"{row['parameters']:,}",
        "GMACs": lambda row: f"{row['macs'] / 1e9:.2f}",
        "pixels": lambda row: f"{row['image_size']}",
        "images/s": lambda row: f"{row['images_per_second']:.1f}",
        "weights": lambda row: ", ".join(row["weights"]) or "none",
        "mode": lambda row: row["mode"],
        "paper": lambda row: row["paper"],
    }
    if not device:
        del columns["images/s"]
    from medxray.cli.summary import aligned

    cells = [list(columns), *([cell(row) for cell in columns.values()] for row in rows)]
    left = [number for number, name in enumerate(columns) if name in ("architecture", "weights", "mode", "paper")]
    for line in aligned(cells, left=left):
        click.echo(line.rstrip())
    if device:
        click.echo(f"Measured on: {device}.")
