"""The method of heatmaps where none is named. No TensorFlow."""

import logging

from medxray.explain.checks.stored_verdicts import stored_verdicts
from medxray.explain.methods import GRADCAM, METHODS

log = logging.getLogger(__name__)


def usual_method(directory, *, with_layer=False):
    """Grad-CAM, unless `explain evaluate` found that it fails the randomisation check on this run.

    Then it is the first method of the table that passed, and the log says so, or Grad-CAM where none did: what draws it
    warns of that, see `explainable.Explainable`.

    Args:
        directory: runs.directory.RunDir.
        with_layer: look only among methods whose maps are taken from a layer that can be named.

    Returns:
        str, name of a method.
    """
    passed = stored_verdicts(directory)
    if passed.get(GRADCAM, True):
        return GRADCAM
    good = [name for name, row in METHODS.items() if passed.get(name) and (row.needs_layer or not with_layer)]
    if not good:
        return GRADCAM
    log.warning(
        "%s fails the randomisation check on %s, so %s is used, which passes. Name it to have it all the same: "
        "--method %s",
        GRADCAM,
        directory.path,
        good[0],
        GRADCAM,
    )
    return good[0]
