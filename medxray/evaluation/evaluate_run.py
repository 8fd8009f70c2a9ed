"""Evaluating a trained run again: on its own splits, or on other data."""

import logging

from medxray.evaluation.assess import report_split, write_assessment
from medxray.runs.images import WITH_DATA, data_name, is_own_data, other_manifest, own_manifest, unseen
from medxray.system import storage

log = logging.getLogger(__name__)


def write_evaluation(run, data=None, *, split="test", label_map=None, columns=None):
    """Evaluate one of the run's own splits, or other data, from the unchanged images and write what comes of it.

    Args:
        run: api.Run.
        data: folder or CSV, of which images that the run has learned are left out; None, or the data of the run,
            wherever it is now: its own split.
        split: "train", "val" or "test"; data without splits is evaluated whole.
        label_map: dict label of the data -> class of the run.
        columns: dict of path_col, label_col, patient_col, split_col for a CSV.

    Returns:
        (JSON object of the split, folder it was written to: RUN/evaluations/<split>, or RUN/external/<data>-<split>).

    Raises:
        DataError: the labels are not classes of the run, files are gone, or no image is left.
        StorageError: the run's directory cannot be written.
    """
    part, folder = _part(run, data, split, label_map=label_map, columns=columns)
    return _evaluate(run, part, split=split, folder=folder)


def _part(run, data, split, **how):
    """(Manifest of what is to be evaluated, folder for what comes of it)."""
    root = None
    if data is not None:
        manifest = other_manifest(run, data, **how)
        if not is_own_data(run, manifest, data):
            return unseen(run, manifest, split), run.path / "external" / f"{data_name(data)}-{split}"
        log.info("%s is the data of this run: its own %s split is evaluated.", data, split)
        root = manifest.root
    return own_manifest(run, split, root=root, otherwise=WITH_DATA), run.path / "evaluations" / split


def _evaluate(run, part, *, split, folder):
    predictions, pictures = run.predict_manifest(part, split=split)
    report = storage.plain(report_split(predictions, run.decision, pictures))
    report["notes"] = [*run.notes, *report["notes"]]
    report |= storage.plain(run.further_figures(predictions, pictures))
    write_assessment(folder, [predictions], decision=run.decision, reports={split: report}, pictures={split: pictures})
    run.draw(folder / "plots", predictions, pictures)
    return report, folder
