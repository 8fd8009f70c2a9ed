"""`medxray anomaly`."""

import sys

import click

from medxray.anomaly.config import AnomalyConfig
from medxray.cli.config_options import train_and_report, train_command
from medxray.cli.options import model_option


@click.group()
def anomaly():
    """Detect what healthy images do not show: trained on normal images alone."""


@train_command(AnomalyConfig)
def train(config, resume):
    """Fit a detector on the normal training images, evaluate it and export it.

    Threshold and calibration are chosen on labelled validation images, normal and abnormal; no other choice looks at
    abnormal ones.
    evaluate, predict, export and embed take the run like any other; `medxray anomaly map` draws where an image is
    abnormal.
    """
    train_and_report(config, resume)


@click.command("map")
@click.argument("paths", nargs=-1, required=True)
@model_option
@click.option("--out", type=click.Path(), default="anomaly", show_default=True, help="Folder to write to.")
@click.option("--raw", is_flag=True, help="Also write the numbers as npz.")
def draw_map(paths, model, out, raw):
    """Draw where images are abnormal: files, folders or glob patterns."""
    from medxray.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.anomaly.folder import write_maps

    files, failures = write_maps(api.load_run(model), paths, out, raw=raw)
    for file in files:
        click.echo(file)
    for path, reason in failures.items():
        click.echo(f"Error: {path}: {reason}", err=True)
    sys.exit(1 if failures else 0)


for _command in (train, draw_map):
    anomaly.add_command(_command)
