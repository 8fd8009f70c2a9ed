"""Splits that leave kinds of images out of training."""

import dataclasses

import numpy as np

from medxray.data.clusters import UNREADABLE, clusters_of_classes, held_note, hold_out_clusters, without_test
from medxray.data.pipeline import read_source
from medxray.data.splits import limit_manifest
from medxray.models.classifier import embedder
from medxray.models.inference import predict_batches
from medxray.system import progress
from medxray.training.classifier_options import CLUSTERS

_BATCH = 32


def hold_out(manifest, model, config):
    """Hold out one cluster of each class, in the features of a model that was not trained on the images.

    `--limit` is applied first, so that features are computed of no more images than the run has.

    Args:
        manifest: Manifest.
        model: classifier, with the weights that it has before training.
        config: resolved TrainConfig.

    Returns:
        (Manifest with splits, dict for the record of the run: `note`, the sentence of the reports, and `clusters`).

    Raises:
        DataError: a class has one cluster only.
    """
    manifest = without_test(manifest)
    if config.limit is not None:
        manifest = limit_manifest(manifest, config.limit, seed=config.seed)
    size = (config.image_size,) * 2
    source, unreadable = read_source(manifest.files(), size=size, channels=config.channels, resize=config.resize)
    rows = np.setdiff1d(np.arange(len(manifest)), list(unreadable))
    batches = progress.counted(source.dataset(rows).batch(_BATCH).prefetch(2), len(rows), "Features")
    features = predict_batches(embedder(model), batches)
    numbers, labels = np.full(len(manifest), UNREADABLE, np.int64), manifest.labels()
    numbers[rows] = clusters_of_classes(features, labels[rows], clusters=config.clusters, seed=config.seed)
    split, held = hold_out_clusters(manifest, numbers, seed=config.seed)
    note = held_note(held, config.clusters)
    return split, {"note": note, "clusters": [dataclasses.asdict(item) for item in held]}


def hold_out_validation(manifest, model, config):
    """Make one cluster of each class the validation split, and train on all other images; the test split stays.

    Test images are not read.

    Args:
        manifest: Manifest with splits.
        model: classifier, with the weights that it has before training.
        config: resolved TrainConfig.

    Returns:
        (Manifest with splits, sentence that says what is left out).

    Raises:
        DataError: a class has one cluster only.
    """
    learned = manifest.where((manifest.table["split"] != "test").to_numpy())
    unsplit = dataclasses.replace(learned, table=learned.table.assign(split="train"))
    clustering = dataclasses.replace(config, clusters=config.clusters or CLUSTERS)
    split, held = hold_out(unsplit, model, clustering)
    outside = set(split.table.loc[split.table["split"] == "test", "path"])
    splits = [
        "test" if given == "test" else "val" if path in outside else "train"
        for path, given in zip(manifest.table["path"], manifest.table["split"], strict=True)
    ]
    return dataclasses.replace(manifest, table=manifest.table.assign(split=splits)), held["note"]
