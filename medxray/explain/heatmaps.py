"""From images to heatmaps: what the commands that draw heatmaps and `Run.explain` compute."""

import base64
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import tensorflow as tf

from medxray.explain.layers import heat_layers
from medxray.explain.maps import upsample
from medxray.explain.methods import GRADCAM
from medxray.metrics.decision import CLEAN
from medxray.metrics.thresholds import OperatingPoint
from medxray.predict.inputs import expand_inputs, path_of
from medxray.predict.outcomes import batch_outcomes, collect
from medxray.runs.truth import true_labels
from medxray.system import progress

BATCH = 4


@dataclass(frozen=True, eq=False)
class Heatmap:
    """The explanation of one image.

    Attributes:
        file: path of the image; for ImageBytes a path of their name.
        target: name of the class that is explained.
        layer: layer of the model that the map was taken from; None where the method needs none.
        heatmap_layer: float32 (h,w), 0-1, at the resolution of the layer.
        heatmap: float32 (H,W), 0-1, at the resolution of the model's input.
        image: uint8 (H,W,C), the model's input.
        box: (top, left, height, width) in pixels of the input: where the image lies, without the padding.
        classes: class names in the order of `probabilities`.
        probabilities: float64 (K,), 0-1, calibrated as in the run.
        calibrated: False where the run has no calibration of its own (validation was too small).
        label: the predicted class.
        threshold: operating point that `label` was decided by; None with three or more classes.
        true_label: the true class, or None when it is unknown.
        method: name of the row of `methods.METHODS`.
        picture: uint8 (h,w,C), the image as it is shown, in its own aspect ratio; None where none was asked for.
        decided_on: views of validation images that the run's decision was fitted on, as in `metrics.decision.Decision`.
    """

    file: Path
    target: str
    layer: str | None
    heatmap_layer: np.ndarray
    heatmap: np.ndarray
    image: np.ndarray
    box: tuple[int, int, int, int]
    classes: tuple[str, ...]
    probabilities: np.ndarray
    calibrated: bool
    label: str
    threshold: OperatingPoint | None
    true_label: str | None
    method: str = GRADCAM
    picture: np.ndarray | None = None
    decided_on: str = CLEAN

    @property
    def probability(self):
        """Calibrated probability of the class that is explained."""
        return float(self.probabilities[self.classes.index(self.target)])

    def figure(self):
        """The picture that `medxray gradcam` writes as a matplotlib Figure; without `picture` as the model takes it."""
        from medxray.explain.overlay import crop_to_image, draw_overlay

        return draw_overlay(self, crop_to_image(self.image, self.box) if self.picture is None else self.picture)

    def _repr_png_(self):
        from medxray.explain.overlay import png_bytes

        return png_bytes(self.figure())


class Heatmaps(list):
    """A list of Heatmap, which a notebook shows as pictures: the first SHOWN of them."""

    SHOWN = 12

    def _repr_html_(self):
        if not self:
            return "<p>No heatmap.</p>"
        pictures = (base64.b64encode(heatmap._repr_png_()).decode("ascii") for heatmap in self[: self.SHOWN])
        shown = "".join(f'<p><img alt="Heatmap" width="640" src="data:image/png;base64,{one}"></p>' for one in pictures)
        return shown + (f"<p>{len(self) - self.SHOWN} more.</p>" if len(self) > self.SHOWN else "")


def heatmaps_for(run, paths, request):
    """Explain images with the model of a run.

    Args:
        run: a run as `medxray.load_run` returns it.
        paths: files, folders, glob patterns and bytes, see `predict.inputs.expand_inputs`.
        request: ExplainRequest.

    Returns:
        (Heatmaps, dict path -> reason of each image that cannot be read).

    Raises:
        ConfigError: unknown method, layer, class or option.
        DataError: the paths hold no image at all.
    """
    found, failures = collect(iterate_heatmaps(run, paths, request))
    return Heatmaps(heatmap for (heatmap,) in found), failures


def iterate_heatmaps(run, paths, *requests, pictures=False):
    """Explain images a few at a time, in constant memory; each is read once, however many explanations it gets.

    Args:
        run: as for `heatmaps_for`.
        paths: as for `heatmaps_for`.
        *requests: ExplainRequests, at least one.
        pictures: whether each Heatmap holds the image as it is shown.

    Yields:
        predict.outcomes.Outcome with a tuple, one Heatmap for each request, in the order of the images.

    Raises:
        ConfigError, DataError: as for `heatmaps_for`.
    """
    explainers = [run.explainer(request) for request in requests]
    images = expand_inputs(paths)
    truths = iter(true_labels(run, images))
    with progress.track(len(images), "Heatmaps") as bar:
        for batch in run.form.stream(images, BATCH, pictures=pictures):
            known = list(batch.of_readable(islice(truths, len(batch.images))))
            yield from batch_outcomes(batch, *_explained(run, requests, explainers, batch.readable(), known))
            bar.advance(len(batch.images))


def layer_table(run):
    """The layers that `--layer` takes: list of (name, h, w, is the default)."""
    return [(*entry, entry[0] in run.heat_layers) for entry in heat_layers(run.model)]


def _explained(run, requests, explainers, batch, truths):
    """What `iterate_heatmaps` says of a batch, all of it readable: (tuples of Heatmap, why the gate refuses each)."""
    if not batch.images:
        return [], []
    pixels = tf.constant(batch.pixels, tf.float32)
    answers = [explain(pixels) for explain in explainers]
    found = [_heatmaps(run, request, answer, batch, truths) for request, answer in zip(requests, answers, strict=True)]
    pooled = answers[0][2]
    return list(zip(*found, strict=True)), run.refusals(pixels, pooled)


def _heatmaps(run, request, answer, batch, truths):
    """The Heatmap of each image of a batch, list, from what an explainer answers."""
    maps, logits, _, targets = answer
    logits = logits.numpy()
    probabilities = run.decision.calibration.probabilities(logits)
    columns = {
        "file": map(path_of, batch.images),
        "target": [run.classes[target] for target in targets.numpy()],
        "heatmap_layer": maps.numpy(),
        "heatmap": upsample(maps, run.input_size).numpy(),
        "image": batch.pixels,
        "box": batch.boxes,
        "probabilities": probabilities,
        "label": [run.classes[label] for label in run.decision.labels(logits)],
        "true_label": truths,
        "picture": batch.pictures,
    }
    shared = {
        "method": request.method,
        "layer": request.layer_of(run),
        "classes": run.classes,
        "calibrated": not run.decision.calibration.is_identity,
        "threshold": run.decision.threshold,
        "decided_on": run.decision.decided_on,
    }
    rows = zip(*columns.values(), strict=True)
    return [Heatmap(**dict(zip(columns, row, strict=True)), **shared) for row in rows]
