"""An adapted run in its directory: the model of its origin, the new decision, and figures by it."""

from pathlib import Path

from medxray.evaluation.model_card import model_card
from medxray.evaluation.pictures import FilePictures
from medxray.evaluation.report import report_split
from medxray.metrics.decision import Decision
from medxray.metrics.prediction_table import read_predictions, write_predictions
from medxray.metrics.report import FORMAT
from medxray.runs.adaptation_sample import write_sample
from medxray.runs.derived import derived_run
from medxray.runs.directory import SHORTCUT_AUDITS, RunDir
from medxray.runs.prevalence import ADAPTATION
from medxray.system import storage

_NOTE = (
    "The decision was adapted to {site}, at another place and perhaps prevalence; this split is of the place of the "
    "training."
)
_RECORDED = (
    "site",
    "data",
    "n",
    "n_patients",
    "patients",
    "prevalence",
    "consecutive",
    "slope",
    "shift",
    "prior",
    "seed",
)


def write_adapted(run, found, manifest, path):
    """Write the run with the adapted decision.

    Figures of the run's own splits are computed again from its stored predictions; plots are not drawn
    (`medxray evaluate` does that).

    Args:
        run: trained_run.Run, the origin.
        found: what `adapt.adapt` has found, dict of JSON values.
        manifest: Manifest of the images that it was fitted to.
        path: of the new run.

    Returns:
        RunDir.

    Raises:
        StorageError: disk full or no permission.
    """
    entry = {name: found[name] for name in _RECORDED}
    gone = dict.fromkeys(("other_decision", "unsure", SHORTCUT_AUDITS))
    changes = {ADAPTATION: entry, "decision": found["adapted"], **gone}
    with derived_run(run.directory, path, **changes) as directory:
        storage.write_json(directory.adaptation_report, found)
        write_sample(directory, manifest)
        reports = _own_figures(run, directory, found)
        storage.write_text(directory.card_file, model_card(directory.read_record(), {"splits": reports}, run.kind.card))
    return RunDir(path)


def _own_figures(run, directory, found):
    """Write predictions.csv and metrics.json of the origin's splits by the new decision; dict split -> report."""
    if not run.directory.predictions_file.exists():
        return {}
    decision, root = Decision.from_dict(found["adapted"]), Path(run.record["data"]["root"])
    splits = read_predictions(run.directory.predictions_file)
    reports = {}
    for split, part in splits.items():
        notes = [*run.notes, *run.own_notes(split), _NOTE.format(site=found["site"])]
        pictures = FilePictures([root / file for file in part.paths])
        reports[split] = report_split(part, decision, pictures, notes=notes)
    write_predictions(directory.predictions_file, list(splits.values()), decision)
    storage.write_json(directory.metrics_file, {"format": FORMAT, "splits": reports})
    return reports
