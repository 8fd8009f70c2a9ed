"""Anomaly maps as files: one PNG per image and, on request, the numbers behind it."""

from pathlib import Path

import numpy as np

from medxray.anomaly.figures import maps_figure
from medxray.anomaly.methods import METHODS
from medxray.plots import style
from medxray.predict.outcomes import write_outcomes
from medxray.system import storage


def write_maps(run, paths, out, *, raw=False):
    """Score images and write `<out>/<image>-anomaly.png` for each.

    Args:
        run: trained run.
        paths: files, folders, glob patterns and bytes, see `predict.inputs.expand_inputs`.
        out: folder to write into, created when missing.
        raw: also write an npz of the same name: `anomaly_map` float32 (h,w), `image` uint8 (H,W,C), `score`,
            `probability` float64, `label` text and, where the method has one, `reconstruction` float32 (H,W,C).

    Returns:
        predict.outcomes.WrittenFiles.

    Raises:
        ConfigError: the run is no anomaly run.
        DataError: the paths hold no image at all.
        StorageError: `out` cannot be written.
    """
    run.check_maps()
    taken = set()

    def write(item):
        stem = storage.free_stem(f"{item.file.stem}-anomaly", taken)
        title = f"{style.words(item.file.name, 44)}\nP({style.words(run.classes[1], 20)}) = {item.probability:.3f}"
        figure = maps_figure([item], unit=METHODS[run.method].unit, title=title)
        files = [style.save(figure, Path(out) / f"{stem}.png")]
        if raw:
            files.append(Path(out) / f"{stem}.npz")
            storage.write_npz(files[1], **_arrays(item))
        return files

    return write_outcomes(run.iterate_maps(paths), write)


def _arrays(item):
    """The numbers of a `figures.AnomalyMap` as named arrays.

    Returns:
        dict: `anomaly_map` float32 (h,w), at least 0, in the unit of the method; `image` uint8 (H,W,C), 0-255; `score`
        float64, deviations above the mean of normal validation images; `probability` float64, 0-1, calibrated; `label`
        text; where the method has one, `reconstruction` float32 (H,W,C), 0-255.
    """
    arrays = {
        "anomaly_map": item.anomaly_map,
        "image": item.pixels,
        "score": np.array(item.score, np.float64),
        "probability": np.array(item.probability, np.float64),
        "label": np.array(item.label),
    }
    return arrays if item.reconstruction is None else arrays | {"reconstruction": item.reconstruction}
