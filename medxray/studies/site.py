"""A new place: what is known of its prevalence, and its images, none of which the run may know."""

import logging

import numpy as np

from medxray.data.images.access import path_text
from medxray.errors import ConfigError, DataError, RunError
from medxray.run_kinds import ANOMALY
from medxray.runs.images import same_files
from medxray.runs.known import find_known
from medxray.runs.prevalence import stored_prevalence

log = logging.getLogger(__name__)
MIN_PATIENTS = 25  # of each class


def check_run(run):
    """Raise RunError for a run that has no decision to adapt: a detector, or one that is not complete."""
    if run.kind is ANOMALY:
        raise RunError(
            f"{run.path} is an anomaly run; only the runs of classifiers can be adapted. Fit a detector to normal "
            "images of the new place instead: medxray anomaly train"
        )
    if "decision" not in run.record:
        raise RunError(f"{run.path} has no decision to adapt. Finish it with: medxray train --resume {run.path}")


def old_prevalence(run):
    """Prevalence that the run's probabilities are for, tuple of K floats; None where they were never fitted to one."""
    stored = stored_prevalence(run)
    if stored is None or run.decision.calibration.is_identity:
        return None
    return tuple(stored[name] for name in run.classes)


def parse_prevalence(text, classes):
    """Read what `--prevalence` says.

    Args:
        text: of two classes, the share of the positive one; else CLASS=SHARE of every class, set apart by commas.
        classes: names of the classes, the positive one of two last.

    Returns:
        tuple of floats, the share of each class.

    Raises:
        ConfigError: it cannot be read, a share is not between 0 and 1, or the shares do not make 1.
    """
    if len(classes) == 2 and "=" not in text:
        found = {classes[1]: _number(text)}
        found[classes[0]] = 1 - found[classes[1]]
    else:
        parts = [part.rpartition("=") for part in text.split(",")]
        found = {name.strip(): _number(share) for name, _, share in parts}
    if set(found) != set(classes):
        form = ",".join(f"{name}=SHARE" for name in classes)
        raise ConfigError(f"--prevalence must have the form {form}. Received '{text}'.")
    shares = tuple(found[name] for name in classes)
    if not all(0 < share < 1 for share in shares):
        raise ConfigError(f"--prevalence must be above 0 and below 1 for each class. Received '{text}'.")
    if abs(sum(shares) - 1) > 1e-6:
        raise ConfigError(
            f"The shares of --prevalence must add up to 1. Received '{text}', which gives {sum(shares):g}."
        )
    return shares


def _number(text):
    try:
        return float(text)
    except ValueError:
        return float("nan")


def unknown_images(run, manifest, *, exclude_known):
    """The images of a new place, refused where the run has learned some of them or of their patients.

    Look-alikes of learned images, which chance makes too, are left out with a warning.

    Args:
        run: trained_run.Run.
        manifest: Manifest of the place.
        exclude_known: leave all such images out instead of refusing.

    Returns:
        Manifest.

    Raises:
        DataError: the run knows some files or patients, or no image is left.
        RunError: the run's list of its images cannot be read.
    """
    same, known = same_files(run, manifest), find_known(run, manifest)
    place, certain = path_text(manifest.root), same | known.patients
    found = certain | known.pictures
    kinds = ((same, "the same files"), (known.patients, "of the same patients"))
    told = ", ".join(f"{mask.sum()} {what}" for mask, what in kinds if mask.any())
    if certain.any() and not exclude_known:
        raise DataError(
            f"The run has learned from, or was adapted to, {certain.sum()} of {len(manifest)} images of {place} or "
            f"their patients ({told}). Give images of other patients, or leave these out with --exclude-known."
            + ("" if same.any() else " If two places merely number their patients alike, give these other ids.")
        )
    if found.all():
        raise DataError(f"The run knows a patient or picture of every image of {place}: none is left.")
    if found.any():
        told = ", ".join(filter(None, (told, f"{(known.pictures & ~certain).sum()} look-alikes")))
        log.warning("Left out: %d of %d images that the run knows (%s).", found.sum(), len(manifest), told)
    return manifest.where(~found)


def check_patients(patients, labels, classes, place):
    """Raise DataError where a class has too few patients.

    Args:
        patients: str array (n,).
        labels: int array (n,), class index.
        classes: names of the classes.
        place: name of the data.
    """
    counts = {name: len(np.unique(patients[labels == k])) for k, name in enumerate(classes)}
    few = [f"{count} of {name}" for name, count in counts.items() if count < MIN_PATIENTS]
    if few:
        raise DataError(
            f"An adaptation needs {MIN_PATIENTS} patients of each class. {place} has {', '.join(few)}. "
            "Label more patients, or look at the prevalence alone with --unlabelled."
        )
