"""`medxray anomaly`."""

import click

from medxray.anomaly.config import AnomalyConfig
from medxray.cli.command import command, group
from medxray.cli.config_options import train_and_report, train_command
from medxray.cli.options import PATH, ignore_unreadable_option, images_argument, model_option
from medxray.cli.report_files import report_files


@group(examples=["medxray anomaly train --data data/chest_xray", "medxray anomaly map scan.png"])
def anomaly():
    """Detect what healthy images do not show: trained on normal images alone."""


@train_command(
    AnomalyConfig,
    examples=[
        "medxray anomaly train --data data/chest_xray",
        "medxray anomaly train --method patchcore --coreset 0.05",
    ],
)
def train(config, resume):
    """Fit a detector on the normal training images, evaluate it and export it.

    Threshold and calibration are chosen on labelled validation images, normal and abnormal; no other choice looks at
    abnormal ones.
    evaluate, predict, export and embed take the run like any other; `medxray anomaly map` draws where an image is
    abnormal.
    """
    train_and_report(config, resume)


@command("map", examples=["medxray anomaly map scan.png", "medxray anomaly map images --model runs/patchcore --raw"])
@images_argument(required=True)
@model_option
@click.option("--out", type=PATH, default="anomaly", show_default=True, help="Folder to write to.")
@click.option("--raw", is_flag=True, help="Also write the numbers as npz.")
@ignore_unreadable_option
def draw_map(paths, model, out, raw, ignore_unreadable):
    """Draw where images are abnormal: files, folders or glob patterns.

    Each image becomes OUT/<image>-anomaly.png. A file that cannot be read is listed with its reason and makes the exit
    status 1. An image unlike the training images is drawn with a warning.
    """
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.anomaly.folder import write_maps

    report_files(write_maps(api.load_run(model), paths, out, raw=raw), ignore=ignore_unreadable)


for _command in (train, draw_map):
    anomaly.add_command(_command)
