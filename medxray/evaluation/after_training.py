"""The end of training: predictions -> decision, reports, tables, plots and model card of a run."""

import pandas as pd

from medxray.evaluation.model_card import model_card
from medxray.evaluation.report import report_run, write_run_assessment
from medxray.evaluation.shift_sample import SHARE_OF_TIME, sample_shifts
from medxray.metrics.decision import CLEAN, SHIFTED, VALIDATION, fit_decisions
from medxray.metrics.unsure import fit_unsure
from medxray.plots.run_plots import draw_history
from medxray.system import storage

TEST = "test"


def assess(directory, splits, *, kind, rule, pictures, notes=None, decide_on=CLEAN, shifted=None, rows=None):
    """Fit decision, prediction sets and abstention on validation, evaluate every split and write it into a run.

    Args:
        directory: runs.directory.RunDir with its model.
        splits: list of Predictions, that of val among them.
        kind: run_kinds.RunKind.
        rule: threshold rule.
        pictures: dict split -> `Pictures` of the same rows.
        notes: dict split -> remark on the figures of this split.
        decide_on: metrics.decision.CLEAN or SHIFTED.
        shifted: dict of shifted views -> logits (n,K) of the validation images, or None.
        rows: the rows of validation that these are of, where they are for comparison only; None: all.

    Returns:
        dict as in metrics.json.
    """
    validation = next(part for part in splits if part.split == VALIDATION)
    decision, other = fit_decisions(validation, rule=rule, decide_on=decide_on, shifted=shifted, rows=rows)
    unsure = fit_unsure(validation, decision, shifted=shifted if decide_on == SHIFTED else None)
    directory.update_record(
        decision=decision.to_dict(), other_decision=other and other.to_dict(), unsure=unsure.to_dict()
    )
    run = kind.load(directory)
    own = {split: [note] for split, note in (notes or {}).items() if note}
    reports = {
        part.split: report_run(run, part, pictures[part.split], notes=own.get(part.split, ())) for part in splits
    }
    for part in splits:
        if part.split == TEST and len(part):
            seconds = _seconds_for_shifts(directory.read_record())
            reports[TEST]["shifts_sample"] = sample_shifts(run, part, pictures[TEST], seconds=seconds)
    write_run_assessment(run, directory, splits, reports=reports, pictures=pictures)
    if directory.history_file.exists():  # not every kind of run is trained by epochs
        draw_history(pd.read_csv(directory.history_file, keep_default_na=False), directory.history_plot)
    storage.write_text(directory.card_file, model_card(directory.read_record(), {"splits": reports}, kind.card))
    return {"splits": reports}


def _seconds_for_shifts(record):
    """Time for the sample of shifted views; None in a run that is to repeat exactly, whatever the time."""
    if record["config"].get("deterministic"):
        return None
    return SHARE_OF_TIME * sum(record.get("seconds", {}).values())
