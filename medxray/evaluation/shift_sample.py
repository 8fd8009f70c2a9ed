"""Shifted views of a sample of patients, for the report that every training writes."""

import time
from collections import Counter

import numpy as np

from medxray.data.shifts.families import VIEWS
from medxray.data.shifts.views import Shiftable
from medxray.evaluation.shifts import ShiftedLogits, evaluated
from medxray.metrics.bootstrap import strata

SEVERITY, SEED = 2, 0
PATIENTS = (100, 50, 25)  # as many as the time allows
SHARE_OF_TIME = 0.1  # of a run, at most
_PROBE = 8  # images by which the time is measured
_IN_TIME = "so that they take at most a tenth of the run's time"
_ALL = "`medxray evaluate RUN --shifts` takes all images and severities."
_VIEWS = tuple(view for view in VIEWS if view[1] == SEVERITY)


def sample_shifts(run, predictions, pictures, *, seconds):
    """Evaluate a seeded sample of patients at severity 2, as many as some time allows.

    How many these are depends on the machine, which must not be in a run that is to repeat exactly.

    Args:
        run: trained_run.Run.
        predictions: Predictions of the unchanged images, one or more.
        pictures: evaluation.pictures.Pictures of the same rows.
        seconds: the time that it may take; None: the smallest sample is taken, without looking at the time.

    Returns:
        dict of JSON values as of `shifts.report_shifts`, with `severity`, and `note`, which says what was taken. Where
        the time is too short for the smallest sample it holds n and n_patients (0), severity and note alone.
    """
    forward, order = ShiftedLogits(run), patients_in_order(predictions)
    if seconds is None:
        patients = min(len(order), min(PATIENTS))
    else:
        probe = rows_of(predictions, order)[:_PROBE]
        affordable = seconds / _seconds_per_image(forward, pictures.where(probe), enough=seconds) - len(probe)
        patients = _number_of_patients(predictions, order, affordable)
    if not patients:
        note = f"Shifted views are left out: they would take more than a tenth of the run's time. {_ALL}"
        return {"severity": SEVERITY, "n": 0, "n_patients": 0, "note": note}
    rows = np.sort(rows_of(predictions, order[:patients]))
    found = evaluated(run, predictions.where(rows), forward.predict(pictures.where(rows), _VIEWS))
    limit = "a run with --deterministic takes no more" if seconds is None else _IN_TIME
    return found | {"severity": SEVERITY, "note": _note(len(rows), patients, predictions.n_patients, limit)}


def patients_in_order(predictions, seed=SEED):
    """All patients in a random order whose beginnings have the classes in the proportions of the whole.

    Returns:
        list of patient ids.
    """
    names = np.unique(predictions.patient_ids)
    _, stratum = strata(predictions.patient_ids, predictions.y_true)
    place, rng = np.zeros(len(names)), np.random.default_rng(seed)
    for value in np.unique(stratum):
        members = np.flatnonzero(stratum == value)
        place[rng.permutation(members)] = (np.arange(len(members)) + 0.5) / len(members)
    return names[np.argsort(place, kind="stable")].tolist()


def _note(images, patients, total, limit):
    taken = f"{patients} of {total} patients" if patients < total else f"all {total} patients"
    why = f" ({limit})" if patients < min(total, max(PATIENTS)) else ""
    return f"Shifted views at severity {SEVERITY} are of {images} images of {taken}{why}. {_ALL}"


def _seconds_per_image(forward, pictures, *, enough):
    """Seconds that all views of one image take: measured, or from one view where all would take more than `enough`."""
    ((pixels, keys, bars),) = pictures.keyed_batches(len(pictures))
    batch = Shiftable(pixels, keys, bars=bars)
    forward.of_batch(batch, _VIEWS[0])  # compiles
    times = []
    for view in _VIEWS:
        begin = time.perf_counter()
        forward.of_batch(batch, view)
        times.append(time.perf_counter() - begin)
        if times[0] * len(_VIEWS) > enough:
            break
    return sum(times) / len(times) * len(_VIEWS) / len(pixels)


def rows_of(predictions, patients):
    """Rows of some patients, patient after patient."""
    place = {patient: at for at, patient in enumerate(patients)}
    places = np.array([place.get(patient, len(patients)) for patient in predictions.patient_ids])
    return np.argsort(places, kind="stable")[: (places < len(patients)).sum()]


def _number_of_patients(predictions, order, images):
    """The largest number of patients of PATIENTS who have no more than some number of images; 0 where there is none."""
    counts = Counter(predictions.patient_ids.tolist())
    for patients in PATIENTS:
        taken = order[:patients]
        if sum(counts[patient] for patient in taken) <= images:
            return len(taken)
    return 0
