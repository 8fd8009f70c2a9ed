"""Evaluating a trained run again: on its own splits, or on other data."""

import logging
import re
from pathlib import Path

import numpy as np
import pandas as pd

from medxray import storage
from medxray.assessment import report_split, write_assessment
from medxray.data.manifest import read_split_csv
from medxray.data.sources import load_manifest
from medxray.errors import DataError, RunError

log = logging.getLogger(__name__)


def own_manifest(run, split=None):
    """One split (None: all) of the manifest a run was trained with; raises DataError when files of it are gone."""
    data = run.record["data"]
    return read_split_csv(
        run.directory.split_file,
        root=Path(data["root"]),
        task=data["task"],
        classes=tuple(data["classes"]),
        positive=data["positive"],
        split=split,
    )


def other_manifest(run, data, *, label_map=None, columns=None):
    """The manifest of a folder or CSV in the classes of a run.

    Args:
        run: api.Run.
        data: folder or CSV.
        label_map: dict label of the data -> class of the run.
        columns: dict of path_col, label_col, patient_col, split_col for a CSV.

    Raises:
        DataError: the labels are not classes of the run.
    """
    return load_manifest(
        data,
        task=run.record["data"]["task"],
        classes=run.classes,
        positive=run.positive,
        label_map=label_map,
        normal=run.normal,
        **(columns or {}),
    )


def is_own_data(run, manifest, data):
    """Whether `data` is what the run was trained on: the same folder, or the same CSV; `manifest` was read from it."""
    source, data = Path(run.record["data"]["source"]), Path(data)
    same_kind = data.is_dir() == source.is_dir()
    same_root = manifest.root == Path(run.record["data"]["root"])
    return same_kind and same_root and (data.is_dir() or data.resolve() == source.resolve())


def data_name(data):
    """A folder name for a dataset: its own name, and six digits of its path's SHA-256 to tell equal names apart."""
    path = Path(data).resolve()
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', path.name)}-{storage.text_sha256(str(path))[:6]}"


def write_evaluation(run, data=None, *, split="test", label_map=None, columns=None):
    """Evaluate one of the run's own splits, or other data, from the unchanged images and write what comes of it.

    Args:
        run: api.Run.
        data: folder or CSV, of which images that the run has learned are left out; None, or the data of the run: its
            own split.
        split: "train", "val" or "test"; data without splits is evaluated whole.
        label_map: dict label of the data -> class of the run.
        columns: dict of path_col, label_col, patient_col, split_col for a CSV.

    Returns:
        (JSON object of the split, folder it was written to: RUN/evaluations/<split>, or RUN/external/<data>-<split>).

    Raises:
        DataError: the labels are not classes of the run, files are gone, or no image is left.
        StorageError: the run's directory cannot be written.
    """
    part = _other_part(run, data, split, label_map=label_map, columns=columns) if data is not None else None
    if part is None:
        return _evaluate(run, own_manifest(run, split), split=split, folder=run.path / "evaluations" / split)
    return _evaluate(run, part, split=split, folder=run.path / "external" / f"{data_name(data)}-{split}")


def _other_part(run, data, split, **how):
    """The images of other data that are new to the run; None where it is the data of the run itself."""
    manifest = other_manifest(run, data, **how)
    if is_own_data(run, manifest, data):
        log.info("%s is the data of this run: its own %s split is evaluated.", data, split)
        return None
    return unseen(run, manifest, split)


def unseen(run, manifest, split):
    """A split of a manifest (all of it, where it has no splits) without what the run has learned or chosen from.

    Raises:
        DataError: there is no such split, or no image is left.
        RunError: the run's list of its images cannot be read.
    """
    return without_known(run, _split_of(manifest, split))


def _split_of(manifest, split):
    if (manifest.table["split"] == "").all():
        log.info("%s has no splits: all of its %d images are evaluated.", manifest.root, len(manifest))
        return manifest
    part = manifest.subset(split)
    if not len(part):
        present = ", ".join(sorted(set(manifest.table["split"]) - {""}))
        raise DataError(f"{manifest.root} has no {split} split, but: {present}. Name one with --split.")
    return part


def without_known(run, part):
    """Leave out images whose bytes are those of an image the run has learned or chosen its threshold from.

    Args:
        run: api.Run.
        part: Manifest of other data.

    Returns:
        Manifest of the images that are new to the run; a warning tells how many are not.

    Raises:
        DataError: none is left.
        RunError: the run's list of its images cannot be read.
    """
    learned = learned_digests(run.directory)
    fresh = np.array([digest not in learned for digest in part.content_digests()], bool)
    if not fresh.all():
        log.warning(
            "%d of %d images are the same files as training or validation images and are left out.",
            int((~fresh).sum()),
            len(part),
        )
    if not fresh.any():
        raise DataError(f"The run has seen every image wanted of {part.root}: none is left.")
    return part.where(fresh)


def learned_digests(directory, splits=("train", "val")):
    """SHA-256 of the images of some splits of a run (RunDir), a set; RunError where they are not known."""
    try:
        table = pd.read_csv(directory.content_file, dtype=str, keep_default_na=False)
        return set(table.loc[table["split"].isin(splits), "sha256"])
    except (OSError, ValueError, KeyError) as error:
        raise RunError(
            f"{directory.content_file} cannot be read, so images known from training cannot be told from new ones. "
            "Restore it, or train the run again."
        ) from error


def _evaluate(run, part, *, split, folder):
    predictions, pictures = run.predict_manifest(part, split=split)
    report = storage.plain(report_split(predictions, run.decision, pictures))
    report["notes"] = [*run.notes, *report["notes"]]
    report |= storage.plain(run.further_figures(predictions, pictures))
    write_assessment(
        folder, [predictions], decision=run.decision, reports={split: report}, pictures={split: pictures}
    )
    run.draw(folder / "plots", predictions, pictures)
    return report, folder
