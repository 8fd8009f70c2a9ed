"""Evaluating a trained run with its stored decision: on its own splits, or on other data."""

import logging

from medxray.evaluation.report import report_run, write_run_assessment
from medxray.runs.images import WITH_DATA, data_name, is_own_data, other_manifest, own_manifest, unseen

log = logging.getLogger(__name__)


def evaluate_manifest(run, manifest, *, split="test"):
    """Evaluate a manifest with the stored threshold and calibration; nothing is fitted on it and nothing written.

    Args:
        run: trained_run.Run.
        manifest: Manifest with the classes of the run. Images that the run has learned or chosen its threshold from,
            and unreadable files, are left out with a warning.
        split: the split of the manifest that is evaluated; all of it where it has no splits.

    Returns:
        dict: the JSON object of docs/evaluation.md.

    Raises:
        DataError: there is no such split, or no image is left.
    """
    return report_run(run, *run.predict_manifest(unseen(run, manifest, split), split=split))


def write_evaluation(run, data=None, *, split="test", label_map=None, columns=None):
    """Evaluate one of the run's own splits, or other data, from the unchanged images and write what comes of it.

    Args:
        run: trained_run.Run.
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
    part, files = _part(run, data, split, label_map=label_map, columns=columns)
    predictions, pictures = run.predict_manifest(part, split=split)
    report = report_run(run, predictions, pictures)
    write_run_assessment(run, files, [predictions], reports={split: report}, pictures={split: pictures})
    return report, files.path


def _part(run, data, split, **how):
    """(Manifest of what is to be evaluated, EvaluationFiles for what comes of it)."""
    root = None
    if data is not None:
        manifest = other_manifest(run, data, **how)
        if not is_own_data(run, manifest, data):
            return unseen(run, manifest, split), run.directory.external_evaluation(f"{data_name(data)}-{split}")
        log.info("%s is the data of this run: its own %s split is evaluated.", data, split)
        root = manifest.root
    return own_manifest(run, split, root=root, otherwise=WITH_DATA), run.directory.own_evaluation(split)
