"""Predictions of a split -> its report, and the files of an evaluation. Every report is put together here."""

from medxray.metrics.prediction_table import write_predictions
from medxray.metrics.report import FORMAT, evaluate_split
from medxray.metrics.unsure_report import report_unsure
from medxray.plots.run_plots import draw_evaluation
from medxray.system import storage


def report_split(predictions, decision, pictures, *, other=None, notes=(), further=None):
    """Report one split.

    Args:
        predictions: Predictions of the split.
        decision: metrics.decision.Decision.
        pictures: `evaluation.pictures.Pictures` or `FilePictures` of the same rows.
        other: Decision that is not used, for comparison, or None.
        notes: remarks that stand before those of the figures, iterable of str.
        further: dict of figures that the report has besides.

    Returns:
        dict of JSON values, see docs/evaluation.md; subgroups by image size and brightness are included.
    """
    report = evaluate_split(predictions, decision, other=other, image_stats=pictures.statistics())
    report["notes"] = [*notes, *report["notes"]]
    return storage.plain(report | (further or {}))


def report_run(run, predictions, pictures, *, notes=()):
    """Report one split of a trained run, with the notes and figures that its kind has in every report.

    Args:
        run: trained_run.Run.
        predictions: Predictions that the run made.
        pictures: `evaluation.pictures.Pictures` of the same rows.
        notes: remarks on this split alone.

    Returns:
        dict of JSON values, see docs/evaluation.md.
    """
    further = run.further_figures(predictions, pictures)
    if run.unsure is not None:
        further = further | {"unsure": report_unsure(predictions, run.decision, run.unsure)}
    decisions = {"decision": run.decision, "other": run.other_decision}
    return report_split(predictions, pictures=pictures, notes=(*run.notes, *notes), further=further, **decisions)


def write_assessment(files, splits, *, decision, reports, pictures):
    """Write metrics.json, predictions.csv and the plots of some splits.

    Args:
        files: runs.directory.EvaluationFiles.
        splits: list of Predictions.
        decision: metrics.decision.Decision.
        reports: dict split -> report.
        pictures: dict split -> pictures of the same rows.

    Raises:
        StorageError: disk full or no permission.
    """
    write_predictions(files.predictions_file, splits, decision)
    for part in splits:
        thumbnail = pictures[part.split].thumbnail
        draw_evaluation(reports[part.split], part, decision, files.plots, thumbnails=thumbnail)
    storage.write_json(files.metrics_file, {"format": FORMAT, "splits": reports})


def write_run_assessment(run, files, splits, *, reports, pictures):
    """`write_assessment` of a trained run, with the plots that its kind has besides."""
    write_assessment(files, splits, decision=run.decision, reports=reports, pictures=pictures)
    for part in splits:
        run.draw(files.plots, part, pictures[part.split])
