"""Predictions -> everything an evaluation leaves in a run: decision, metrics, tables, plots, model card."""

import logging
from pathlib import Path

import pandas as pd

from medxray.evaluation.model_card import model_card
from medxray.metrics.decision import fit_decision
from medxray.metrics.predictions import write_predictions
from medxray.metrics.report import evaluate_split
from medxray.plots.run_plots import draw_evaluation, draw_history
from medxray.system import storage

log = logging.getLogger(__name__)
THRESHOLD_SPLIT = "val"


def assess(run, splits, *, rule, pictures, notes=None, further=None):
    """Fit the decision on validation, evaluate every split and write all of it into a run.

    Args:
        run: RunDir.
        splits: Predictions of train, val and test.
        rule: threshold rule.
        pictures: dict split -> `Pictures` of the same rows.
        notes: dict split -> remark that belongs to its figures.
        further: dict split -> dict of figures that its report has besides.

    Returns:
        dict as in metrics.json.
    """
    validation = next(part for part in splits if part.split == THRESHOLD_SPLIT)
    decision = fit_decision(validation, rule=rule)
    run.update_record(decision=decision.to_dict())
    reports = {}
    for part in splits:
        report = _with_note(report_split(part, decision, pictures[part.split]), notes)
        reports[part.split] = report | (further or {}).get(part.split, {})
    write_assessment(run.path, splits, decision=decision, reports=reports, pictures=pictures)
    if run.history_file.exists():  # not every kind of run is trained by epochs
        draw_history(pd.read_csv(run.history_file, keep_default_na=False), run.path / "plots" / "history.png")
    storage.write_text(run.card_file, model_card(run.read_record(), {"splits": reports}))
    return {"splits": reports}


def _with_note(report, notes):
    note = (notes or {}).get(report["split"])
    return {**report, "notes": [note, *report["notes"]]} if note else report


def report_split(predictions, decision, pictures):
    """The JSON object of one split, subgroups by image size and brightness included."""
    return evaluate_split(predictions, decision, image_stats=pictures.statistics())


def write_assessment(folder, splits, *, decision, reports, pictures):
    """Write metrics.json, predictions.csv and the plots of some splits into a folder."""
    folder = Path(folder)
    write_predictions(folder / "predictions.csv", splits, decision)
    for part in splits:
        drawn = pictures[part.split]
        draw_evaluation(reports[part.split], part, decision, folder / "plots", thumbnails=drawn.thumbnail)
    storage.write_json(folder / "metrics.json", {"splits": reports})
