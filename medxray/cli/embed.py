"""`medxray embed extract|knn|plot`."""

import click

from medxray.cli.command import group
from medxray.cli.options import (
    PATH,
    check_data_options,
    json_option,
    other_data_options,
    run_argument,
)
from medxray.cli.report import renew_report
from medxray.cli.types import Choice
from medxray.metrics.threshold_rules import USUAL_RULE

_SPLITS = Choice(("train", "val", "test"))
_split_option = click.option("--split", "splits", multiple=True, type=_SPLITS, help="Only this split; can be repeated.")
_seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Seed of everything random.")


@group(examples=["medxray embed extract runs/latest", "medxray embed plot runs/latest/embeddings.npz"])
def embed():
    """Take a model's features of images, and see or use how the classes lie among them."""


@embed.command(
    examples=["medxray embed extract runs/latest", "medxray embed extract runs/latest --data site --out site.npz"]
)
@run_argument
@click.option("--data", type=PATH, help="Another folder or CSV; default: the run's own images.")
@_split_option
@click.option("--out", type=PATH, help="File to write. Default: embeddings.npz in the run.")
@other_data_options
def extract(run, data, splits, out, label_map, exclude_known, **columns):
    """Write the pooled features of images, with labels, patients and splits, as an npz file.

    Images that the run was trained on are left out of other data.
    """
    check_data_options(data, label_map=label_map, exclude_known=exclude_known, **columns)
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api

    loaded = api.load_run(run)
    how = {"label_map": label_map, "columns": columns, "exclude_known": bool(exclude_known)}
    embeddings, path = loaded.write_embeddings(data, splits=splits, out=out, **how)
    click.echo(f"{path}: {len(embeddings)} images, {embeddings.vectors.shape[1]} features")
    renew_report(loaded, path)


@embed.command(examples=["medxray embed knn runs/latest/embeddings.npz"])
@click.argument("file", metavar="FILE", type=PATH)
@click.option(
    "--threshold-rule",
    "rule",
    default=USUAL_RULE,
    show_default=True,
    metavar="RULE",
    help="youden:0.95, youden, sensitivity:0.95, cost:FN/FP or 0.5; chosen on validation images.",
)
@_seed_option
@json_option
def knn(file, rule, seed, as_json):
    """Classify by nearest neighbours and evaluate it like any classifier.

    k and metric are chosen by cross-validation over patients on train and validation images. Results go to a folder
    beside FILE.
    """
    from medxray.embeddings.study import study_knn

    study = study_knn(file, rule=rule, seed=seed)
    if as_json:
        _print_json(study.result)
        return
    from medxray.cli.summary import summary_lines

    reference = study.result["reference"]
    click.echo(
        f"{study.result['k']} neighbours, {study.result['metric']} distance, among {reference['images']} images of "
        f"{reference['patients']} patients ({' and '.join(reference['splits'])})."
    )
    for line in summary_lines(study.result["splits"]):
        click.echo(line)
    click.echo(f"Written to {study.files[0]}")


@embed.command(examples=["medxray embed plot runs/latest/embeddings.npz --method pca"])
@click.argument("file", metavar="FILE", type=PATH)
@click.option("--method", type=Choice(("tsne", "pca")), default="tsne", show_default=True, help="How to lay out.")
@_split_option
@click.option(
    "--neighbors", "k", type=click.IntRange(1), default=10, show_default=True, help="Neighbours counted for the purity."
)
@click.option(
    "--metric",
    type=Choice(("cosine", "euclidean", "manhattan")),
    default="cosine",
    show_default=True,
    help="Distance for purity and silhouette.",
)
@click.option(
    "--shown", type=click.IntRange(1), default=1500, show_default=True, help="Most images on the interactive page."
)
@_seed_option
@json_option
def plot(file, method, splits, k, metric, shown, seed, as_json):
    """Draw the features as a map: a PNG, and an HTML page on which hovering shows the image.

    Neighbourhood purity and silhouette, measured on the vectors themselves, stand beside it.
    """
    from medxray.embeddings.study import study_plot

    study = study_plot(file, method=method, splits=splits, k=k, metric=metric, shown=shown, seed=seed)
    if as_json:
        _print_json(study.result)
        return
    for path in study.files:
        click.echo(path)


def _print_json(value):
    import json

    click.echo(json.dumps(value, indent=2, allow_nan=False))
