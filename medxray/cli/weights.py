"""`medxray weights list|fetch|convert`."""

import logging

import click

from medxray.cli.command import group
from medxray.cli.options import PATH, json_option
from medxray.cli.types import Choice
from medxray.models.registry import ARCHITECTURES

log = logging.getLogger(__name__)


@group(examples=["medxray weights list", "medxray weights fetch vgg16"])
def weights():
    """Look at, fetch and convert pretrained weights."""


@weights.command("list", examples=["medxray weights list"])
@json_option
def list_command(as_json):
    """List the pretrained weights of every architecture, and whether they can be had here now.

    Files that are here are read for their digests. Nothing is downloaded.
    """
    import dataclasses
    import json

    from medxray.models.availability import availability

    found = availability()
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(each) for each in found], indent=2))
        return
    for each in found:
        line = f"{each.arch:<18} {each.weights:<9} {each.state:<22} {each.path or each.origin}"
        click.echo(f"{line} ({each.note})" if each.note else line)


@weights.command(examples=["medxray weights fetch vgg16 --weights imagenet"])
@click.argument("arch", metavar="ARCH", type=Choice(ARCHITECTURES))
@click.option("--weights", "name", metavar="NAME", help="Which of them. Default: the first in the list.")
def fetch(arch, name):
    """Download the weights of an architecture into the Keras cache, or check the file that is there.

    Weights of a package are not downloaded: the message says how to install it.
    """
    from medxray.models import availability

    click.echo(availability.fetch(arch, name))


@weights.command(examples=["medxray weights convert vgg16.pth --arch vgg16 --out vgg16.weights.h5"])
@click.argument("file", metavar="FILE", type=PATH)
@click.option("--arch", required=True, type=Choice(ARCHITECTURES), help="Architecture of the file.")
@click.option("-o", "--out", required=True, type=PATH, metavar="OUT.weights.h5", help="File that is written.")
@click.option("--overwrite", is_flag=True, help="Replace a file of that name.")
def convert(file, arch, out, overwrite):
    """Turn a .pth or .safetensors of torchvision into weights for `medxray train --weights OUT.weights.h5`.

    Nothing in the file is executed, and PyTorch is not needed. The layers that make classes are left out.
    """
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray.models.convert import convert as convert_file

    left = convert_file(file, arch, out, overwrite=overwrite)
    log.info("Left out: %s", ", ".join(left) or "nothing")
    click.echo(out)
