"""Patient ids that stand for nobody: one value for nearly all images is left by anonymisation. No TensorFlow."""

import logging
from collections import Counter
from dataclasses import replace

log = logging.getLogger(__name__)
_NEARLY_ALL = 0.9
_FEWEST = 10  # images; of fewer, all may be of one patient


def without_artefacts(rows):
    """Take away patient ids that nearly all images share, or nearly all images of each label.

    Args:
        rows: list of LabelledFile.

    Returns:
        list of LabelledFile; a warning tells which id is not used.
    """
    counts = Counter(row.patient_id for row in rows)
    common = _dominant(counts, len(rows))
    shared = {common} if common else _per_label(rows)
    if not shared:
        return rows
    images = sum(counts[patient] for patient in shared)
    log.warning(
        "%d of %d images have the patient id %s, which anonymisation has left: it is not used, and each of these "
        "images counts as a patient of its own.",
        images,
        len(rows),
        " or ".join(sorted(shared)),
    )
    return [replace(row, patient_id="") if row.patient_id in shared else row for row in rows]


def _dominant(counts, total):
    """The id of nearly all images, or None."""
    patient, images = max(counts.items(), key=lambda item: item[1], default=("", 0))
    return patient if patient and images >= _FEWEST and images >= _NEARLY_ALL * total else None


def _per_label(rows):
    """The ids where each label has one of nearly all its images; else none."""
    labels = {}
    for row in rows:
        labels.setdefault(row.label.casefold(), Counter())[row.patient_id] += 1
    found = [_dominant(counts, counts.total()) for counts in labels.values()]
    return set(found) if all(found) else set()
