"""The split that leaves kinds of images out of training."""

import dataclasses

import numpy as np

from medxray.data.clusters import clusters_of_classes, held_note, hold_out_clusters
from medxray.data.pipeline import read_source
from medxray.models.classifier import embedder
from medxray.models.inference import predict_batches

_BATCH = 32


def hold_out(manifest, model, config):
    """Hold out one cluster of each class, in the features of a model that was not trained on the images.

    Args:
        manifest: Manifest.
        model: classifier, with the weights that it has before training.
        config: resolved TrainConfig.

    Returns:
        (Manifest with splits, dict for the record of the run: `note`, the sentence of the reports, and `clusters`).

    Raises:
        DataError: a class has one cluster only.
    """
    size = (config.image_size,) * 2
    source, unreadable = read_source(manifest.files(), size=size, channels=config.channels, resize=config.resize)
    rows = np.setdiff1d(np.arange(len(manifest)), list(unreadable))
    features = predict_batches(embedder(model), source.dataset(rows).batch(_BATCH).prefetch(2))
    numbers, labels = np.zeros(len(manifest), np.int64), manifest.labels()
    numbers[rows] = clusters_of_classes(features, labels[rows], clusters=config.clusters, seed=config.seed)
    split, held = hold_out_clusters(manifest, numbers, seed=config.seed)
    note = held_note(held, config.clusters)
    return split, {"note": note, "clusters": [dataclasses.asdict(item) for item in held]}
