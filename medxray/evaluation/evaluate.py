"""Evaluating a trained run with its stored decision: on its own splits, or on other data."""

import logging

from medxray.data.images.access import path_text
from medxray.evaluation.elsewhere import beside_test
from medxray.evaluation.elsewhere_text import far_line
from medxray.evaluation.report import report_run, write_run_assessment
from medxray.evaluation.shifts import report_shifts
from medxray.evaluation.shown import ShownReport
from medxray.plots.shifts import draw_shifts
from medxray.runs.images import WITH_DATA, data_name, is_own_data, other_manifest, own_manifest, unseen
from medxray.system import storage
from medxray.system.storage import check_place

log = logging.getLogger(__name__)


def evaluate_manifest(run, manifest, *, split="test", shifts=False):
    """Evaluate a manifest with the stored threshold and calibration; nothing is fitted on it and nothing written.

    Args:
        run: trained_run.Run.
        manifest: Manifest with the classes of the run. Images that the run has learned or chosen its threshold from,
            and unreadable files, are left out with a warning.
        split: the split of the manifest that is evaluated; all of it where it has no splits.
        shifts: evaluate shifted views of the images, too.

    Returns:
        ShownReport: the JSON object of docs/evaluation.md.

    Raises:
        DataError: there is no such split, or no image is left.
    """
    part, known = unseen(run, manifest, split)
    return ShownReport(_report(run, *run.predict_manifest(part, split=split), notes=known.notes(), shifts=shifts))


def write_evaluation(run, data=None, *, split="test", label_map=None, columns=None, exclude_known=False, shifts=False):
    """Evaluate one of the run's own splits, or other data, from the unchanged images and write what comes of it.

    Args:
        run: trained_run.Run.
        data: folder or CSV, of which images that the run has learned are left out; None, or the data of the run,
            wherever it is now: its own split.
        split: "train", "val" or "test"; data without splits is evaluated whole.
        label_map: dict label of the data -> class of the run.
        columns: dict of path_col, label_col, patient_col, split_col, image_root, positive_finding, uncertain for a CSV.
        exclude_known: leave out patients and pictures of the training that other data hold in other files, too.
        shifts: evaluate shifted views of the images, too.

    Returns:
        (ShownReport of the split, folder it was written to: RUN/evaluations/<split>, or RUN/external/<data>-<split>).

    Raises:
        DataError: the labels are not classes of the run, files are gone, or no image is left.
        StorageError: the run's directory cannot be written.
    """
    check_place(run.path)
    how = {"label_map": label_map, "columns": columns}
    part, known, files = part_of_data(run, data, split, exclude_known=exclude_known, **how)
    predictions, pictures = run.predict_manifest(part, split=split)
    notes = known.notes() if known else run.own_notes(split)
    report = _report(run, predictions, pictures, notes=notes, shifts=shifts)
    if known:
        report["known"] = known.to_dict()
        beside = beside_test(run, report, predictions, pictures)
        report["elsewhere"] = storage.plain(beside | {"line": far_line(beside)})
    write_run_assessment(run, files, [predictions], reports={split: report}, pictures={split: pictures})
    if shifts:
        draw_shifts(report, files.plots)
    return ShownReport(report), files.path


def _report(run, predictions, pictures, *, notes, shifts):
    report = report_run(run, predictions, pictures, notes=notes)
    return report | {"shifts": report_shifts(run, predictions, pictures)} if shifts else report


def part_of_data(run, data, split, *, exclude_known, **how):
    """What of a run's own data, or of other data, is to be evaluated.

    Args:
        run: as for `write_evaluation`.
        data: as for `write_evaluation`.
        split: as for `write_evaluation`.
        exclude_known: as for `write_evaluation`.
        **how: `label_map` and `columns`, as for `write_evaluation`.

    Returns:
        (Manifest, known.Known of other data or None, EvaluationFiles for what comes of it).

    Raises:
        DataError: as for `write_evaluation`.
    """
    root = None
    if data is not None:
        manifest = other_manifest(run, data, **how)
        if not is_own_data(run, manifest, data):
            files = run.directory.external_evaluation(f"{data_name(data)}-{split}")
            return *unseen(run, manifest, split, exclude_known=exclude_known), files
        log.info("%s is the data of this run: its own %s split is evaluated.", path_text(data), split)
        root = manifest.root
    return own_manifest(run, split, root=root, otherwise=WITH_DATA), None, run.directory.own_evaluation(split)
