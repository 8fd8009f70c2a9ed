"""`medxray export`."""

import click

from medxray.cli.command import command
from medxray.cli.options import PATH, run_argument, settings_option
from medxray.cli.types import Names
from medxray.explain.methods import EXPORTED, GRADCAM


@command(
    examples=["medxray export runs/latest", "medxray export runs/latest --to served/chest --explain gradcam,occlusion"]
)
@run_argument
@click.option(
    "--to",
    type=PATH,
    metavar="DIR",
    help="Folder of the model's versions, where the next free number is made.  [default: saved_models/<run name>]",
)
@click.option(
    "--explain",
    "methods",
    type=Names(EXPORTED),
    metavar="NAME[,NAME...]",
    help=f"Heatmaps in the graph, a signature each, of: {', '.join(EXPORTED)}; or all. Default: {GRADCAM}; a "
    "detector has anomaly maps instead.",
)
@settings_option
def export(run, to, methods, options):
    """Export a run as a SavedModel that loads in any TensorFlow program.

    The graph takes images or encoded JPEG and PNG files and returns calibrated probabilities, labels, embeddings and
    heatmaps. It is compared with the run before it is put in place; the largest differences are shown.
    """
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api

    click.echo(api.load_run(run).export(to, methods=methods, options=options).path)
