"""Prediction sets and abstention of a trained run, computed again from its validation images."""

import logging

from medxray.errors import RunError
from medxray.evaluation.shifts import logits_of_draws
from medxray.metrics.conformal import LEVEL
from medxray.metrics.decision import SHIFTED, VALIDATION
from medxray.metrics.prediction_table import read_predictions
from medxray.metrics.unsure import fit_unsure
from medxray.models.inference import compiled, logits_model
from medxray.runs.images import own_manifest

log = logging.getLogger(__name__)
_WEIGHED = (
    "The weights of %s were fitted to its validation patients, and here they are not cross-fitted: sets and abstention "
    "promise a little too much. Better combine the runs again with --decide-on shifted."
)
_OTHERWISE = ", or leave the shifted views out with --views clean"


def refit(run, *, level=LEVEL, views=None):
    """Compute prediction sets and abstention of a run, as its training does, and put them on its record.

    Args:
        run: trained_run.Run.
        level: of the prediction sets, above 0 and below 1.
        views: metrics.decision.CLEAN: from the stored predictions of validation images; SHIFTED: from their files, with
            shifted views; None: as `--decide-on` of its training.

    Returns:
        metrics.unsure.Unsure.

    Raises:
        RunError: the run was adapted to another place, holds no decision, or no predictions of its validation images.
        DataError: validation images are gone, where shifted views are wanted.
        StorageError: the run's directory cannot be written.
    """
    if "decision" not in run.record:
        raise RunError(f"{run.path} has no decision yet. Finish it with: medxray train --resume {run.path}")
    if run.adapted_from is not None:
        raise RunError(
            f"{run.path} was adapted to another place, and its validation patients are of the first one: prediction "
            f"sets and abstention cannot be calibrated for the new one. Those for the first one: {run.adapted_from}"
        )
    shifted = None
    if (views or run.record["config"].get("decide_on")) == SHIFTED:
        if run.record.get("ensemble", {}).get("weights_of_folds"):
            log.warning(_WEIGHED, run.path)
        validation, shifted = _with_shifted(run)
    else:
        validation = stored_validation(run)
    unsure = fit_unsure(validation, run.decision, shifted=shifted, level=level)
    run.directory.update_record(unsure=unsure.to_dict())
    return unsure


def stored_validation(run):
    """The `Predictions` of validation images that a run holds.

    Raises:
        RunError: it holds none.
    """
    for files in (run.directory, run.directory.own_evaluation(VALIDATION)):
        if files.predictions_file.is_file():
            found = read_predictions(files.predictions_file).get(VALIDATION)
            if found is not None and found.classes == run.classes:
                return found
    raise RunError(
        f"{run.path} holds no predictions of its validation images. Make them with: medxray evaluate {run.path} "
        f"--split {VALIDATION}"
    )


def _with_shifted(run):
    """(Predictions of the unchanged validation images, dict of shifted views -> logits), from the files."""
    manifest = own_manifest(run, VALIDATION, otherwise=_OTHERWISE)
    validation, pictures = run.predict_manifest(manifest, split=VALIDATION)
    forward = compiled(logits_model(run.model))
    return validation, logits_of_draws(lambda images: forward(images)[0].numpy(), pictures, batch=run.batch)
