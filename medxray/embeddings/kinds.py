"""Which kinds of images a dataset has: clusters in the features of a pretrained network, as counts and pictures."""

import logging
from dataclasses import dataclass

import numpy as np

from medxray.data.clusters import cluster_images
from medxray.data.manifest import Manifest
from medxray.data.pipeline import read_source
from medxray.models.classifier import build_classifier, embedder
from medxray.models.inference import predict_rows
from medxray.models.own_preprocessing import preprocessing_for
from medxray.models.registry import architecture
from medxray.models.weights import load_weights
from medxray.plots import style

SHOWN = 8  # images of each cluster, the ones nearest to its centre
_WIDTH, _HEIGHT, _LABEL = 1.2, 1.45, 2.4
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Kinds:
    """The clusters of a dataset.

    Attributes:
        manifest: Manifest of the images that could be read.
        numbers: int array (n,), cluster of each image, the largest cluster is 0.
        nearest: for each cluster, rows of the images nearest to its centre, at most SHOWN.
        pixels: uint8 array (n,h,w,c), the images as the network sees them.
    """

    manifest: Manifest
    numbers: np.ndarray
    nearest: list
    pixels: np.ndarray

    def counts(self):
        """For each cluster, a dict class -> number of images; list in the order of the clusters."""
        labels = self.manifest.table["label"].to_numpy()
        count = self.numbers.max() + 1
        return [
            {name: int(((self.numbers == kind) & (labels == name)).sum()) for name in self.manifest.classes}
            for kind in range(count)
        ]

    def warnings(self):
        """A sentence for each cluster that has one class only, list of str."""
        return [
            f"Kind {kind} has images of {next(name for name, count in counts.items() if count)} only "
            f"({sum(counts.values())}): a model can tell them by their kind instead of the disease."
            for kind, counts in enumerate(self.counts())
            if sum(count > 0 for count in counts.values()) == 1
        ]

    def draw(self, path):
        """Write a PNG with a row for each cluster: its counts, and images nearest to its centre; return the path."""
        counts = self.counts()
        figure = style.new_figure(_LABEL + SHOWN * _WIDTH, 0.6 + len(counts) * _HEIGHT)
        panels = figure.subplots(len(counts), SHOWN + 1, squeeze=False, width_ratios=[_LABEL] + [_WIDTH] * SHOWN)
        for kind, (row, found) in enumerate(zip(panels, counts, strict=True)):
            for axes in row:
                axes.set_axis_off()
            lines = [f"{style.words(name, 16)}: {count:,}" for name, count in found.items()]
            row[0].text(0, 0.5, "\n".join([f"Kind {kind}", *lines]), va="center", transform=row[0].transAxes)
            for axes, image in zip(row[1:], self.nearest[kind], strict=False):
                axes.imshow(self.pixels[image][..., 0], cmap="gray", vmin=0, vmax=255)
        figure.suptitle(f"Kinds of images: {style.counted(len(self.manifest), 'image')}", fontsize=11)
        return style.save(figure, path)


def feature_network(arch, weights, *, seed=0):
    """A network that gives features of grey images, with weights that were not trained on them.

    Args:
        arch: name of the architecture.
        weights: as for `models.weights.load_weights`.
        seed: of random weights.

    Returns:
        keras.Model, uint8 images (n,h,w,1) of the architecture's size -> float32 features (n,d).

    Raises:
        WeightsError: as for `load_weights`.
    """
    known = {"classes": 2, "preprocessing": preprocessing_for(arch, weights)}  # the head is left out
    model = build_classifier(arch, image_size=architecture(arch).default_size, channels=1, seed=seed, **known)
    load_weights(model, arch, weights)
    return embedder(model)


def image_kinds(manifest, network, *, clusters, seed=0):
    """Cluster the images of a dataset in the features of a network that was not trained on it.

    Args:
        manifest: Manifest.
        network: what `feature_network` returns.
        clusters: how many kinds.
        seed: of the clusters.

    Returns:
        Kinds. Unreadable files are left out with a warning.
    """
    form = {"size": network.input_shape[1:3], "channels": 1, "resize": "letterbox"}
    source, failures = read_source(manifest.files(), limit=1 << 62, **form)
    for row, reason in failures.items():
        log.warning("Left out: %s: %s", manifest.table["path"][row], reason)
    good = np.setdiff1d(np.arange(len(manifest)), list(failures))
    pixels, manifest = source.pixels[good], manifest.where(np.isin(np.arange(len(manifest)), good))
    features = predict_rows(network, pixels)
    numbers = cluster_images(features, clusters=clusters, seed=seed)
    return Kinds(manifest, numbers, _nearest(features, numbers), pixels)


def _nearest(features, numbers):
    nearest = []
    for kind in range(numbers.max() + 1):
        rows = np.flatnonzero(numbers == kind)
        centre = features[rows].mean(axis=0)
        distance = np.linalg.norm(features[rows] - centre, axis=1)
        nearest.append(rows[np.argsort(distance, kind="stable")[:SHOWN]])
    return nearest
