"""`medxray explain` and `medxray gradcam`, its shorthand."""

import click

from medxray.cli.options import PATH, ignore_unreadable_option, images_argument, model_option
from medxray.cli.report_files import report_files
from medxray.explain.methods import COMPILED, ENGINES, GRADCAM, METHODS


def _map_options(folder):
    """The options that every command which draws heatmaps has; `folder` is where its pictures go by default."""
    options = (
        click.option("--layer", metavar="NAME", help="Layer to take the heatmap from, or 'list' to see all."),
        click.option(
            "--class",
            "target",
            metavar="CLASS",
            help="Class to explain; default: the positive one, or with three or more classes the predicted one.",
        ),
        click.option("--out", type=PATH, default=folder, show_default=True, help="Folder for the pictures."),
        click.option("--raw", is_flag=True, help="Also write the numbers, as an npz beside each picture."),
        ignore_unreadable_option,
    )

    def decorate(command):
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.group()
def explain():
    """Draw what a model looked at, by one of several methods."""


@explain.command()
@images_argument(required=False)
@model_option
@click.option("--method", metavar="NAME", default=GRADCAM, show_default=True, help=f"One of: {', '.join(METHODS)}.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Option of the method; may be repeated.")
@_map_options("explanations")
def maps(paths, model, method, settings, layer, target, out, raw, ignore_unreadable):
    """Draw heatmaps of images: files, folders or glob patterns.

    Each image becomes OUT/<image>-<class>.png. A file that cannot be read is listed with its reason and makes the exit
    status 1. An image unlike the training images is explained with a warning.
    """
    options = tuple(_setting(text) for text in settings)
    files = {"out": out, "raw": raw, "ignore": ignore_unreadable}
    _draw(paths, model, files, method=method, layer=layer, target=target, options=options)


@click.command()
@images_argument(required=False)
@model_option
@_map_options("gradcam")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default=COMPILED,
    show_default=True,
    help="What computes the maps: medxray's own graph, or tf-keras-vis, which is slower.",
)
def gradcam(paths, model, layer, target, out, raw, ignore_unreadable, engine):
    """Draw what the model looked at: files, folders or glob patterns.

    Each image becomes OUT/<image>-<class>.png. A file that cannot be read is listed with its reason and makes the exit
    status 1. An image unlike the training images is explained with a warning.
    """
    files = {"out": out, "raw": raw, "ignore": ignore_unreadable}
    _draw(paths, model, files, method=GRADCAM, layer=layer, target=target, engine=engine)


def _draw(paths, model, files, **wanted):
    if not paths and wanted["layer"] != "list":
        raise click.UsageError("Name at least one image, folder or pattern.")
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.explain import folder, heatmaps
    from medxray.explain.explainer import ExplainRequest

    run = api.load_run(model)
    if wanted["layer"] == "list":
        _print_layers(heatmaps.layer_table(run))
        return
    written = folder.write_heatmaps(run, paths, files["out"], ExplainRequest(**wanted), raw=files["raw"])
    report_files(written, ignore=files["ignore"])


def _setting(text):
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.UsageError(f"--set must be NAME=VALUE. Received '{text}'.")
    return name, value


def _print_layers(table):
    width = max(len(name) for name, *_ in table)
    for name, height, columns, is_default in table:
        click.echo(f"{name:<{width}}  {height} x {columns}{'  (default)' if is_default else ''}")
