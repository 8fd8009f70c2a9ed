"""Heatmaps as files: one PNG per image and, on request, the numbers behind it."""

import re
from pathlib import Path

import numpy as np

from medxray.explain.heatmaps import check_request, iterate_heatmaps
from medxray.explain.originals import read_original
from medxray.explain.overlay import write_overlay
from medxray.moved import names_of_old_module
from medxray.predict.written_files import WrittenFiles
from medxray.system import storage

__getattr__ = names_of_old_module(__name__)


def write_heatmaps(run, paths, out, *, layer=None, target=None, raw=False):
    """Explain images and write `<out>/<image>-<class>.png` for each as soon as it is known.

    Args:
        run: a run as `medxray.load_run` returns it.
        paths: files, folders or glob patterns.
        out: folder to write into, created when missing.
        layer: as for `heatmaps.heatmaps_for`.
        target: as for `heatmaps.heatmaps_for`.
        raw: also write an npz of the same name, see `raw_arrays`.

    Returns:
        WrittenFiles.

    Raises:
        ConfigError: unknown layer or class.
        DataError: the paths hold no image at all.
        StorageError: `out` cannot be written.
    """
    check_request(run, layer, target)
    inputs = run.form.read_inputs(paths)
    taken, files = set(), []
    for heatmap in iterate_heatmaps(run, inputs, layer=layer, target=target):
        target_name = re.sub(r"[^\w.-]", "_", heatmap.target)
        stem = storage.free_stem(f"{heatmap.file.stem}-{target_name}", taken)
        files.append(Path(out) / f"{stem}.png")
        write_overlay(files[-1], heatmap, read_original(heatmap.file, run.channels))
        if raw:
            files.append(Path(out) / f"{stem}.npz")
            storage.write_npz(files[-1], **raw_arrays(heatmap))
    return WrittenFiles(tuple(files), inputs.failures, run.refused(inputs))


def raw_arrays(heatmap):
    """The numbers of a `heatmaps.Heatmap` as named arrays, none of them a pickled object.

    Returns:
        dict: `heatmap` float32 (H,W) at input resolution and `heatmap_layer` float32 (h,w), both 0-1; `image` uint8
        (H,W,C), the model's input; `box` int64 (4,), top, left, height and width of the image in it;
        `class_name`, `layer` and `label` (the predicted class) text; `probability` float64, calibrated, of
        `class_name`; `classes` text (K,) and `probabilities` float64 (K,), calibrated.
    """
    return {
        "heatmap": heatmap.heatmap,
        "heatmap_layer": heatmap.heatmap_layer,
        "image": heatmap.image,
        "box": np.array(heatmap.box, np.int64),
        "class_name": np.array(heatmap.target),
        "layer": np.array(heatmap.layer),
        "label": np.array(heatmap.label),
        "probability": np.array(heatmap.probability, np.float64),
        "classes": np.array(heatmap.classes),
        "probabilities": heatmap.probabilities,
    }
