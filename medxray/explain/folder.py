"""Heatmaps as files: one PNG per image and, on request, the numbers behind it."""

import re
from pathlib import Path

import numpy as np

from medxray.explain.heatmaps import iterate_heatmaps
from medxray.explain.overlay import write_overlay
from medxray.moved import names_of_old_module
from medxray.predict.outcomes import write_outcomes
from medxray.system import storage

__getattr__ = names_of_old_module(__name__)


def write_heatmaps(run, paths, out, request, *, raw=False):
    """Explain images and write `<out>/<image>-<class>.png` for each as soon as it is known.

    Args:
        run: a run as `medxray.load_run` returns it.
        paths: files, folders, glob patterns and bytes, see `predict.inputs.expand_inputs`.
        out: folder to write into, created when missing.
        request: ExplainRequest.
        raw: also write an npz of the same name, see `raw_arrays`.

    Returns:
        predict.outcomes.WrittenFiles.

    Raises:
        ConfigError: unknown method, layer, class or option.
        DataError: the paths hold no image at all.
        StorageError: `out` cannot be written.
    """
    taken = set()

    def write(heatmap):
        target_name = re.sub(r"[^\w.-]", "_", heatmap.target)
        stem = storage.free_stem(f"{heatmap.file.stem}-{target_name}", taken)
        files = [Path(out) / f"{stem}.png"]
        write_overlay(files[0], heatmap, heatmap.picture)
        if raw:
            files.append(Path(out) / f"{stem}.npz")
            storage.write_npz(files[1], **raw_arrays(heatmap))
        return files

    return write_outcomes(iterate_heatmaps(run, paths, request, pictures=True), write)


def raw_arrays(heatmap):
    """The numbers of a `heatmaps.Heatmap` as named arrays, none of them a pickled object.

    Returns:
        dict: `heatmap` float32 (H,W) at input resolution and `heatmap_layer` float32 (h,w), both 0-1; `image` uint8
        (H,W,C), the model's input; `box` int64 (4,), top, left, height and width of the image in it; `class_name`,
        `label` (the predicted class) and `layer` (empty where the method needs none) text; `probability` float64,
        calibrated, of `class_name`; `classes` text (K,) and `probabilities` float64 (K,), calibrated.
    """
    return {
        "heatmap": heatmap.heatmap,
        "heatmap_layer": heatmap.heatmap_layer,
        "image": heatmap.image,
        "box": np.array(heatmap.box, np.int64),
        "class_name": np.array(heatmap.target),
        "layer": np.array(heatmap.layer or ""),
        "label": np.array(heatmap.label),
        "probability": np.array(heatmap.probability, np.float64),
        "classes": np.array(heatmap.classes),
        "probabilities": heatmap.probabilities,
    }
