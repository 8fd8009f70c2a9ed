"""Grad-CAM of the images that a report shows, computed once and kept in the run."""

import logging

import numpy as np

from medxray.data.images.access import path_text
from medxray.explain.explainer import ExplainRequest
from medxray.explain.heatmaps import heatmaps_for
from medxray.explain.methods import METHODS
from medxray.explain.overlay import crop_to_image
from medxray.report.chosen import shown_rows
from medxray.report.contents import read_contents
from medxray.report.heat import Heats, small_heat, write_heats

log = logging.getLogger(__name__)


def keep_heatmaps(run):
    """Compute the heatmaps of the images that the report of a run shows, unless the run holds them.

    Args:
        run: trained_run.Run, of a classifier.

    Raises:
        ConfigError: the kind of run has no Grad-CAM.
        DataError: none of the images can be read.
        RunError: as for `contents.read_contents`.
        StorageError: the run's directory cannot be written.
    """
    request = ExplainRequest()
    request.check(run)
    contents = read_contents(run.path)
    rows = shown_rows(contents)
    paths = [contents.predictions.paths[row] for row in rows]
    if contents.heats is not None and set(paths) <= set(contents.heats.paths.tolist()):
        log.info("%s holds the heatmaps already.", path_text(contents.directory.gallery_file))
        return
    names = {str(file): path for file, path in zip(contents.files_of(paths), paths, strict=True)}
    found, failures = heatmaps_for(run, list(names), request)
    for file, reason in failures.items():
        log.warning("No heatmap of %s: %s", file, reason)
    heats = Heats(
        method=METHODS[request.method].title,
        paths=np.array([names[str(heatmap.file)] for heatmap in found], dtype=str),
        targets=np.array([heatmap.target for heatmap in found], dtype=str),
        heats=np.stack([small_heat(crop_to_image(heatmap.heatmap, heatmap.box)) for heatmap in found]),
    )
    write_heats(contents.directory.gallery_file, heats)
