"""`medxray data inspect|phantom|sample`."""

import click

from medxray.cli.command import group
from medxray.cli.options import PATH, column_options, json_option, label_map_option
from medxray.cli.types import Choice


@group(examples=["medxray data inspect data/chest_xray", "medxray data sample data/sample"])
def data():
    """Look at a dataset before training, make a synthetic one, or copy a small real one."""


@data.command(
    examples=[
        "medxray data inspect data/chest_xray",
        "medxray data inspect labels.csv --path-col file --label-col finding --json",
    ]
)
@click.argument("source", metavar="[DATA]", default="data", type=PATH)
@click.option(
    "--task",
    type=Choice(("pneumonia", "pneumonia-subtype", "folders")),
    help="Default: pneumonia for NORMAL and PNEUMONIA, else folders.",
)
@click.option("--positive", metavar="CLASS", help="The sick one of two classes whose names do not say it.")
@label_map_option
@column_options
@click.option("--strict", is_flag=True, help="Stop at the first unreadable file.")
@click.option(
    "--clusters",
    type=click.IntRange(2, 100),
    metavar="K",
    help="Also find K kinds of images by the features of a pretrained network, and draw them.",
)
@click.option("--arch", help="Network of --clusters. Default: efficientnet-lite0.")
@click.option("--weights", help="Its weights, as for `medxray train`. Default: auto.")
@click.option("--out", type=PATH, help="Picture of --clusters. Default: clusters.png.")
@json_option
def inspect(source, task, positive, label_map, strict, clusters, arch, weights, out, as_json, **columns):
    """Report what a folder, CSV or MedMNIST file holds and what is wrong with it; every image is decoded.

    Default: ./data.
    """
    if not clusters and (arch or weights or out):
        raise click.UsageError("--arch, --weights and --out are for --clusters. Give that too, or leave them out.")
    arch, weights, out = arch or "efficientnet-lite0", weights or "auto", out or "clusters.png"
    from medxray.data.audit.findings import audit
    from medxray.data.layouts.sources import load_manifest

    manifest = load_manifest(source, task=task, positive=positive, label_map=label_map, **columns)
    network = _network(arch, weights) if clusters else None  # what is wrong with it is told before images are decoded
    findings = audit(manifest, strict=strict)
    kinds = _kinds(findings.manifest, clusters, out, network) if clusters else None
    if as_json:
        import json

        from medxray.system import storage

        found = findings.to_dict() | ({"kinds": kinds.counts()} if kinds else {})
        click.echo(json.dumps(storage.plain(found), indent=2, allow_nan=False))
        return
    from medxray.cli.data_report import kind_lines, report_lines

    for line in report_lines(findings) + (kind_lines(kinds, out) if kinds else []):
        click.echo(line)


def _network(arch, weights):
    """The network whose features are clustered."""
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray.embeddings.kinds import feature_network

    return feature_network(arch, weights)


def _kinds(manifest, clusters, picture, network):
    """Cluster the images and draw the clusters."""
    from medxray.embeddings.kinds import image_kinds

    kinds = image_kinds(manifest, network, clusters=clusters)
    kinds.draw(picture)
    return kinds


@data.command(examples=["medxray data phantom data/phantoms --patients 60"])
@click.argument("folder", metavar="DIR", type=PATH)
@click.option("--patients", type=int, default=60, show_default=True, help="Number of patients, 1-4 images each.")
@click.option("--size", type=int, default=256, show_default=True, help="Width in pixels; heights vary.")
@click.option("--seed", type=int, default=0, show_default=True, help="Equal seeds give equal files.")
@click.option("--overwrite", is_flag=True, help="Replace phantoms that are in DIR.")
def phantom(folder, patients, size, seed, overwrite):
    """Write synthetic chest phantoms with opacity masks in the Kaggle layout.

    They show no patient: they are for trying things out, for tests and as ground truth for heatmaps.
    """
    from medxray.data.phantom.draw import generate_phantoms

    files = generate_phantoms(folder, patients=patients, size=size, seed=seed, overwrite=overwrite)
    click.echo(f"{len(files)} synthetic images of {patients} patients in {folder}/chest_xray, masks in {folder}/masks")
    click.echo(f"Next: medxray data inspect {folder}")


@data.command(examples=["medxray data sample data/sample"])
@click.argument("folder", metavar="DIR", type=PATH)
def sample(folder):
    """Copy the 240 real chest X-rays that come with medxray, with their licence (CC BY 4.0) and attribution."""
    from medxray.data.sample import copy_sample

    count = copy_sample(folder)
    click.echo(f"{count} chest X-rays in {folder}; licence and source: {folder}/README.md")
    click.echo(f"Next: medxray data inspect {folder}")
