"""`medxray predict`."""

import logging
import sys

import click

from medxray.cli.command import command
from medxray.cli.options import PATH, ignore_unreadable_option, images_argument, json_option, model_option
from medxray.cli.report_files import report_failures
from medxray.cli.types import Choice

log = logging.getLogger(__name__)


@command(
    examples=[
        "medxray predict scan.jpeg scan.dcm",
        "medxray predict images --model runs/vgg16-finetune --csv table.csv",
    ]
)
@images_argument(required=True)
@model_option
@json_option
@ignore_unreadable_option
@click.option("--csv", "csv_file", type=PATH, help="Write the table to this file.")
@click.option(
    "--gate",
    type=Choice(("warn", "refuse", "off")),
    default="warn",
    show_default=True,
    help="What happens to an image unlike the training images: a warning, an error, or nothing.",
)
@click.option(
    "--abstain",
    type=float,
    metavar="ERROR",
    help="Answer only where the error among answered patients stays below this, such as 0.05, see docs/unsure.md.",
)
@click.option(
    "--neighbors",
    type=click.IntRange(1),
    metavar="N",
    help="Also list the N most similar training images, and draw them.",
)
@click.option(
    "--neighbors-out",
    type=PATH,
    help="Folder for the pictures of --neighbors. Default: neighbors.",
)
def predict(paths, model, as_json, ignore_unreadable, csv_file, gate, abstain, neighbors, neighbors_out):
    """Predict images: files, folders or glob patterns.

    The probability is that of the positive class, calibrated on validation patients; the label follows from the run's
    threshold. A file that cannot be read is listed with its reason and makes the exit status 1. The run's input gate
    notices images that are unlike its training images, such as photographs or inverted X-rays.

    With --abstain 0.05 images on which the model is not sure enough are answered "unsure", and each image has a set of
    classes that it may be of. Both are calibrated on validation patients; for other patients nothing is promised.

    The first call with --neighbors computes the features of the run's images and keeps them as RUN/embeddings.npz. It
    comes after the predictions, which are told even if it fails.
    """
    if neighbors_out is not None and neighbors is None:
        raise click.UsageError("--neighbors-out is for --neighbors N. Give it too, or leave it out.")
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.predict.unsure import sets_as_text
    from medxray.system import storage

    run = api.load_run(model)
    table, features = run.predict_with_features(paths, gate=gate, abstain=abstain)
    if csv_file:
        storage.write_csv(csv_file, sets_as_text(table))
        log.info("%s: %d rows", csv_file, len(table))
    elif not as_json:
        _print(table)
    status = _complain(table, gate, ignore_unreadable)
    found = None
    try:
        if neighbors:
            found = _similar(run, features, table, count=neighbors)
            if not (csv_file or as_json):
                _print_neighbors(found)
            _write_neighbors(run, found, table, csv_file=csv_file, out=neighbors_out or "neighbors")
    finally:  # whatever became of the neighbours
        if as_json:
            _print_json(table, found)
    sys.exit(status)


def _complain(table, gate, ignore):
    """A line on standard error for each image that the gate refuses and each that has an error; the exit status."""
    from medxray.gate.verdicts import refusal_text

    if gate == "warn" and "gate_reason" in table:
        for row in table[table["gate_reason"] != ""].itertuples():
            click.echo(f"Warning: {row.path}: {refusal_text(row.gate_reason, row.gate_score)}", err=True)
    failed = table[table["error"] != ""]
    return report_failures(dict(zip(failed["path"], failed["error"], strict=True)), ignore=ignore)


def _similar(run, features, table, *, count):
    """What `Run.similar` returns, of the images without an error."""
    from medxray.embeddings.similar import similar_images

    good = set(table["path"][table["error"] == ""])
    return {path: near for path, near in similar_images(run, features, count=count).items() if path in good}


def _write_neighbors(run, found, table, *, csv_file, out):
    """Draw the neighbours and, beside a CSV of predictions, write them as a second one; tell where on stderr."""
    from pathlib import Path

    from medxray.embeddings.similar import draw_neighbors, neighbor_table
    from medxray.system import storage

    if csv_file:
        path = Path(csv_file)
        second = path.with_name(f"{path.stem}-neighbors{path.suffix}")
        rows = neighbor_table(found)
        storage.write_csv(second, rows)
        log.info("%s: %d rows", second, len(rows))
    for file in draw_neighbors(found, table, out, positive=run.positive):
        log.info("%s", file)


def _print_json(table, found):
    import dataclasses
    import json

    from medxray.system import storage

    rows = table.to_dict("records")
    if found is not None:
        for row in rows:
            row["neighbors"] = [dataclasses.asdict(one) for one in found.get(row["path"], ())]
    click.echo(json.dumps(storage.plain(rows), indent=2, allow_nan=False))


def _print(table):
    good = table[table["error"] == ""]
    labels = [_shown_label(row) for row in good.itertuples()]
    width = max(map(len, labels), default=0)
    for row, label in zip(good.itertuples(), labels, strict=True):
        threshold = "" if row.threshold != row.threshold else f" (threshold {row.threshold:.3f})"
        mark = f"  ({row.gate_reason})" if getattr(row, "gate_reason", "") else ""
        click.echo(f"{label:<{width}}  {row.probability:.4f}{threshold}  {row.path}{_shown_set(row)}{mark}")


def _shown_label(row):
    return row.label if getattr(row, "answered", True) else "unsure"


def _shown_set(row):
    """The prediction set behind a path, where there are sets."""
    return f"  {{{', '.join(row.prediction_set)}}}" if hasattr(row, "prediction_set") else ""


def _print_neighbors(found):
    for path, neighbors in found.items():
        click.echo(f"Training images most similar to {path}:")
        for one in neighbors:
            again = "  (the same file)" if one.same_file else ""
            click.echo(f"    {one.distance:.4f}  {one.label}  {one.path}{again}")
