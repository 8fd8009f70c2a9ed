"""From files to heatmaps: what `medxray gradcam` and `Run.gradcam` compute."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from medxray.errors import ConfigError
from medxray.explain import gradcam
from medxray.explain.layers import heat_layers, require_heat_layer
from medxray.explain.originals import image_box
from medxray.metrics.thresholds import OperatingPoint
from medxray.runs.truth import true_labels
from medxray.system import progress


@dataclass(frozen=True, eq=False)
class Heatmap:
    """The explanation of one image.

    Attributes:
        file: the image.
        target: name of the class that is explained.
        layer: layer of the model that the map was taken from.
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
    """

    file: Path
    target: str
    layer: str
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

    @property
    def probability(self):
        """Calibrated probability of the class that is explained."""
        return float(self.probabilities[self.classes.index(self.target)])


def heatmaps_for(run, paths, *, layer=None, target=None):
    """Explain images with the model of a run.

    Args:
        run: a run as `medxray.load_run` returns it.
        paths: files, folders or glob patterns.
        layer: layer to take the maps from; None: the heat layer of the architecture.
        target: name of the class to explain; None: the positive class, or with three or more classes the predicted.

    Returns:
        (list of Heatmap, dict path -> reason of each file that cannot be read).

    Raises:
        ConfigError: unknown layer or class.
        DataError: the paths hold no image at all.
    """
    check_request(run, layer, target)
    inputs = run.form.read_inputs(paths)
    return list(iterate_heatmaps(run, inputs, layer=layer, target=target)), inputs.failures


def check_request(run, layer, target):
    """Raise ConfigError unless `layer` and `target` are None or exist in the run, before any image is read."""
    run.check_gradcam()
    if target is not None and target not in run.classes:
        raise ConfigError(f"--class must be one of {', '.join(run.classes)}. Received '{target}'.")
    if layer is not None:
        require_heat_layer(run.model, layer)


def iterate_heatmaps(run, inputs, *, layer=None, target=None):
    """Explain images that are read already, a few at a time.

    Args:
        run: as for `heatmaps_for`.
        inputs: what `run.read_inputs` returned.
        layer: as for `heatmaps_for`.
        target: as for `heatmaps_for`.

    Yields:
        Heatmap, in the order of `inputs.files`.

    Raises:
        ConfigError: unknown layer or class.
    """
    check_request(run, layer, target)
    layer = layer or run.architecture.heat_layer
    truths = true_labels(run, inputs.files)
    with progress.track(len(inputs.files), "Heatmaps") as bar:
        for start in range(0, len(inputs.files), gradcam.BATCH):
            rows = slice(start, start + gradcam.BATCH)
            parts = _explain(run, inputs.pixels[rows], layer=layer, target=target)
            for file, true_label, part in zip(inputs.files[rows], truths[rows], parts, strict=True):
                yield Heatmap(
                    file=file,
                    true_label=true_label,
                    box=image_box(file, run.input_size, run.resize),
                    layer=layer,
                    **part,
                )
                bar.advance(1)


def layer_table(run):
    """The layers that `--layer` takes: list of (name, h, w, is the default)."""
    return [(*entry, entry[0] == run.architecture.heat_layer) for entry in heat_layers(run.model)]


def _explain(run, pixels, *, layer, target):
    """The fields of each Heatmap that the model gives, for one batch."""
    by_rule = gradcam.default_targets(len(run.classes), run.decision.calibration)
    named = None if target is None else np.full(len(pixels), run.classes.index(target), np.int32)
    targets_of = by_rule if named is None else lambda _: named
    maps, logits = gradcam.explain_batch(run.model, pixels, targets_of, layer=layer)
    targets = np.asarray(targets_of(tf.constant(logits)))
    probabilities = run.decision.calibration.probabilities(logits)
    labels = run.decision.labels(probabilities)
    large = gradcam.upsample(maps, run.input_size).numpy()
    return [
        {
            "target": run.classes[targets[row]],
            "heatmap_layer": maps[row],
            "heatmap": large[row],
            "image": pixels[row],
            "classes": run.classes,
            "probabilities": probabilities[row],
            "calibrated": not run.decision.calibration.is_identity,
            "label": run.classes[labels[row]],
            "threshold": run.decision.threshold,
        }
        for row in range(len(pixels))
    ]
