"""`medxray explain`, and `medxray gradcam` and `medxray occlusion`, its shorthands."""

import click

from medxray.cli.command import command, group
from medxray.cli.explain_audit import audit
from medxray.cli.explain_cohort import cohort
from medxray.cli.explain_evaluate import evaluate
from medxray.cli.options import (
    PATH,
    ignore_unreadable_option,
    images_argument,
    method_option,
    model_option,
    settings_option,
)
from medxray.cli.report_files import report_files
from medxray.cli.types import Choice
from medxray.explain.methods import COMPILED, ENGINES, GRADCAM, OCCLUSION

_layer_option = click.option("--layer", metavar="NAME", help="Layer to take heatmaps from, or 'list' to see all.")


def _map_options(folder):
    """The options that every command which draws heatmaps has; `folder` is where its pictures go by default."""
    options = (
        click.option(
            "--class",
            "target",
            metavar="CLASS",
            help="Class to explain; default: the positive one, or with three or more classes the predicted one.",
        ),
        click.option("--out", type=PATH, default=folder, show_default=True, help="Folder for the pictures."),
        click.option("--raw", is_flag=True, help="Also write the numbers, as an npz for each heatmap."),
        ignore_unreadable_option,
    )

    def decorate(command):
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@group(
    examples=["medxray explain maps scan.png --method gradcam,occlusion --grid", "medxray explain audit runs/latest"]
)
def explain():
    """Draw what a model looked at, by one of several methods, and say how far such maps can be trusted."""


explain.add_command(evaluate)
explain.add_command(cohort)
explain.add_command(audit)


@explain.command(
    examples=["medxray explain maps scan.png --method gradcam,occlusion --grid", "medxray explain maps --layer list"]
)
@images_argument(required=False)
@model_option
@method_option(several=True)
@settings_option
@_layer_option
@click.option("--grid", is_flag=True, help="Draw all heatmaps of an image side by side, as OUT/<image>-grid.png.")
@_map_options("explanations")
def maps(paths, model, method, layer, target, options, grid, out, raw, ignore_unreadable):
    """Draw heatmaps of images: files, folders or glob patterns.

    Each image becomes OUT/<image>-<class>.png, with several methods one for each. A file that cannot be read is listed
    with its reason and makes the exit status 1. An image unlike the training images is explained with a warning.
    """
    files = {"out": out, "raw": raw, "grid": grid}
    _draw(paths, model, files, ignore_unreadable, methods=method, layer=layer, target=target, options=options)


@command(examples=["medxray gradcam scan.png", "medxray gradcam images --model runs/vgg16-finetune --raw"])
@images_argument(required=False)
@model_option
@_layer_option
@_map_options("gradcam")
@click.option(
    "--engine",
    type=Choice(ENGINES),
    default=COMPILED,
    show_default=True,
    help="What computes the maps: medxray's own graph, or tf-keras-vis, which is slower.",
)
def gradcam(paths, model, layer, target, out, raw, ignore_unreadable, engine):
    """Draw what the model looked at: files, folders or glob patterns.

    Each image becomes OUT/<image>-<class>.png. A file that cannot be read is listed with its reason and makes the exit
    status 1. An image unlike the training images is explained with a warning.
    """
    files = {"out": out, "raw": raw}
    _draw(paths, model, files, ignore_unreadable, methods=GRADCAM, layer=layer, target=target, engine=engine)


@command(examples=["medxray occlusion scan.png"])
@images_argument(required=True)
@model_option
@settings_option
@_map_options("occlusion")
def occlusion(paths, model, target, options, out, raw, ignore_unreadable):
    """Draw how far the score falls when a part of an image is covered: files, folders or glob patterns.

    Each image becomes OUT/<image>-<class>.png. A file that cannot be read is listed with its reason and makes the exit
    status 1. An image unlike the training images is explained with a warning.
    """
    _draw(paths, model, {"out": out, "raw": raw}, ignore_unreadable, methods=OCCLUSION, target=target, options=options)


def _draw(paths, model, files, ignore, *, methods, layer=None, **wanted):
    if not paths and layer != "list":
        raise click.UsageError("Name at least one image, folder or pattern.")
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.explain.checks.usual_method import usual_method
    from medxray.explain.heatmaps import layer_table

    run = api.load_run(model)
    if layer == "list":
        _print_layers(layer_table(run))
        return
    methods = methods or usual_method(run.directory, with_layer=layer is not None)
    report_files(run.write_heatmaps(paths, methods=methods, layer=layer, **files, **wanted), ignore=ignore)


def _print_layers(table):
    width = max(len(name) for name, *_ in table)
    for name, height, columns, is_default in table:
        click.echo(f"{name:<{width}}  {height} x {columns}{'  (default)' if is_default else ''}")
