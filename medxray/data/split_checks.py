"""What is wrong with a split: patients or files on both sides, classes that are missing. No TensorFlow."""

import logging
from collections import Counter

import numpy as np
import pandas as pd

from medxray.data.identical import identical_files
from medxray.data.manifest import SPLITS

log = logging.getLogger(__name__)
_ENOUGH_PATIENTS = 7  # of which each split gets one


def check_split(manifest):
    """Warn of what is wrong with a split: unknown patients, patients or files on both sides, a class that is missing.

    Args:
        manifest: Manifest with a split in every row.
    """
    if not manifest.grouped:
        log.warning("%s", _unknown_patients(manifest))
    _warn_of_leaks(manifest)
    _warn_of_shared_files(manifest)
    _warn_of_missing_classes(manifest)


def _warn_of_shared_files(manifest):
    splits = manifest.table["split"].to_numpy()
    shared = [rows for rows in identical_files(manifest) if len(set(splits[rows])) > 1]
    if shared:
        names = " = ".join(manifest.table["path"].to_numpy()[shared[0]])
        log.warning(
            "%d files lie in two splits under different names, for example %s: figures may be too good",
            len(shared),
            names,
        )


def _warn_of_missing_classes(manifest):
    for name in SPLITS:
        labels = manifest.table.loc[manifest.table["split"] == name, "label"]
        missing = [label for label in manifest.classes if len(labels) and not (labels == label).any()]
        if missing:
            log.warning(
                "The %s split has no image of class %s.%s", name, ", ".join(missing), split_cause(manifest, missing[0])
            )


def split_cause(manifest, label=None):
    """The sentence that says why images cannot be spread over splits: too few patients; "" where they suffice.

    Args:
        manifest: Manifest.
        label: a class; None: all images.
    """
    rows = np.ones(len(manifest), bool) if label is None else (manifest.table["label"] == label).to_numpy()
    images = Counter(manifest.patients()[rows])
    if not images or len(images) >= _ENOUGH_PATIENTS:
        return ""
    patient, most = images.most_common(1)[0]
    of = "" if label is None else f" of class {label}"
    name = "" if patient.startswith("image:") else f", patient {patient} has {most} of them"
    return (
        f" The {rows.sum()} images{of} are of {len(images)} {'patient' if len(images) == 1 else 'patients'}{name}; "
        "a patient is never divided. Check that the patient ids are right."
    )


def _unknown_patients(manifest):
    unknown = int((manifest.table["patient_id"] == "").sum())
    return (
        f"{unknown} of {len(manifest)} images have no patient id: each counts as a patient of its own, so images of "
        "one patient may lie on both sides of a split and the figures may be too good. Pass a CSV with --patient-col."
    )


def leaks(manifest):
    """Patients whose images lie in two splits.

    Args:
        manifest: Manifest with splits; rows without one are left out.

    Returns:
        pandas.DataFrame with columns patient_id, splits (joined by "+"), images, kind. kind is "possible" in the
        pneumonia tasks where the splits share no subtype of that patient (in the Kermany set a number may stand for
        two children, one per subtype) and "certain" otherwise. Sorted by patient; images without a patient id are
        left out.
    """
    rows = manifest.table[(manifest.table["patient_id"] != "") & (manifest.table["split"] != "")]
    several = rows.groupby("patient_id")["split"].nunique()
    found = []
    for patient, group in rows[rows["patient_id"].isin(several.index[several > 1])].groupby("patient_id"):
        splits = [name for name in SPLITS if (group["split"] == name).any()]
        found.append((patient, "+".join(splits), len(group), _kind(group, manifest.task)))
    return pd.DataFrame(found, columns=["patient_id", "splits", "images", "kind"])


def _kind(group, task):
    per_subtype = group.groupby(["label", "subtype"])["split"].nunique()
    different = task != "folders" and (group["subtype"] != "").all() and (per_subtype == 1).all()
    return "possible" if different else "certain"


def _warn_of_leaks(manifest):
    table = leaks(manifest)
    certain, possible = int((table["kind"] == "certain").sum()), int((table["kind"] == "possible").sum())
    if certain:
        log.warning(
            "%d patients have images in two splits, for example %s: figures on these splits may be too good",
            certain,
            table[table["kind"] == "certain"].iloc[0]["patient_id"],
        )
    if possible:
        log.info("%d patient numbers recur in two splits with different subtypes: possibly other children", possible)
