"""`medxray gradcam`."""

import click

from medxray.cli.options import PATH, images_argument, model_option
from medxray.cli.written import tell


@click.command()
@images_argument(required=False)
@model_option
@click.option("--layer", metavar="NAME", help="Layer to take the heatmap from, or 'list' to see all.")
@click.option(
    "--class",
    "target",
    metavar="CLASS",
    help="Class to explain; default: the positive one, or with three or more classes the predicted one.",
)
@click.option("--out", type=PATH, default="gradcam", show_default=True, help="Folder for the pictures.")
@click.option("--raw", is_flag=True, help="Also write the numbers, as an npz beside each picture.")
def gradcam(paths, model, layer, target, out, raw):
    """Draw what the model looked at: files, folders or glob patterns.

    Each image becomes OUT/<image>-<class>.png. A file that cannot be read is listed with its reason and makes the exit
    status 1. An image unlike the training images is explained with a warning.
    """
    if not paths and layer != "list":
        raise click.UsageError("Name at least one image, folder or pattern.")
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.explain import folder, heatmaps

    run = api.load_run(model)
    if layer == "list":
        _print_layers(heatmaps.layer_table(run))
        return
    tell(folder.write_heatmaps(run, paths, out, layer=layer, target=target, raw=raw))


def _print_layers(table):
    width = max(len(name) for name, *_ in table)
    for name, height, columns, is_default in table:
        click.echo(f"{name:<{width}}  {height} x {columns}{'  (default)' if is_default else ''}")
