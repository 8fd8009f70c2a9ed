"""Heatmaps as files: a PNG for each or one for all of an image and, on request, the numbers behind them."""

import re
from pathlib import Path

import numpy as np

from medxray.explain.grid import write_grid
from medxray.explain.heatmaps import iterate_heatmaps
from medxray.explain.overlay import write_overlay
from medxray.moved import names_of_old_module
from medxray.predict.outcomes import write_outcomes
from medxray.system import storage

__getattr__ = names_of_old_module(__name__)


def write_heatmaps(run, paths, out, *requests, raw=False, grid=False):
    """Explain images and write the pictures of each as soon as they are known.

    They are `<out>/<image>-<class>.png`, with several requests `<out>/<image>-<class>-<method>.png`.

    Args:
        run: a run as `medxray.load_run` returns it.
        paths: files, folders, glob patterns and bytes, see `predict.inputs.expand_inputs`.
        out: folder to write into, created when missing.
        *requests: ExplainRequests, at least one.
        raw: also write an npz of the same name for each, see `raw_arrays`.
        grid: draw `<out>/<image>-grid.png` in place of these, with all explanations of an image side by side.

    Returns:
        predict.outcomes.WrittenFiles.

    Raises:
        ConfigError: unknown method, layer, class or option.
        DataError: the paths hold no image at all.
        StorageError: `out` cannot be written.
    """
    taken = set()

    def write(heatmaps):
        files, image = [], heatmaps[0].file.stem
        if grid:
            files.append(Path(out) / f"{storage.free_stem(f'{image}-grid', taken)}.png")
            write_grid(files[0], heatmaps, heatmaps[0].picture)
        for heatmap in heatmaps:
            words = [image, heatmap.target, *([heatmap.method] if len(requests) > 1 else [])]
            stem = storage.free_stem("-".join([image, *(re.sub(r"[^\w.+-]", "_", word) for word in words[1:])]), taken)
            if not grid:
                files.append(Path(out) / f"{stem}.png")
                write_overlay(files[-1], heatmap, heatmap.picture)
            if raw:
                files.append(Path(out) / f"{stem}.npz")
                storage.write_npz(files[-1], **raw_arrays(heatmap))
        return files

    return write_outcomes(iterate_heatmaps(run, paths, *requests, pictures=True), write)


def raw_arrays(heatmap):
    """The numbers of a `heatmaps.Heatmap` as named arrays, none of them a pickled object.

    Returns:
        dict: `heatmap` float32 (H,W) at input resolution and `heatmap_layer` float32 (h,w), both 0-1; `image` uint8
        (H,W,C), the model's input; `box` int64 (4,), top, left, height and width of the image in it; `class_name`,
        `label` (the predicted class), `method` and `layer` (empty where the method needs none) text; `probability`
        float64, calibrated, of `class_name`; `classes` text (K,) and `probabilities` float64 (K,), calibrated.
    """
    return {
        "heatmap": heatmap.heatmap,
        "heatmap_layer": heatmap.heatmap_layer,
        "image": heatmap.image,
        "box": np.array(heatmap.box, np.int64),
        "class_name": np.array(heatmap.target),
        "method": np.array(heatmap.method),
        "layer": np.array(heatmap.layer or ""),
        "label": np.array(heatmap.label),
        "probability": np.array(heatmap.probability, np.float64),
        "classes": np.array(heatmap.classes),
        "probabilities": heatmap.probabilities,
    }
