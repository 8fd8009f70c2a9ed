"""Cross-validation by patients: every image is judged by a model that did not see its patient."""

import dataclasses

import numpy as np
import pandas as pd

from medxray.data.folds import fold_manifests
from medxray.data.manifest import write_split_csv
from medxray.errors import ConfigError
from medxray.metrics.decision import DEFAULT_POINT, Decision
from medxray.metrics.intervals import estimate_text
from medxray.metrics.over_models import decided_logits
from medxray.metrics.prediction_table import prediction_table
from medxray.metrics.predictions import Predictions
from medxray.metrics.report import evaluate_split
from medxray.studies.member import read_member
from medxray.studies.spreads import FIGURES, spreads
from medxray.system import storage
from medxray.training.dataset import choose_manifest

OUT_OF_FOLD = "out-of-fold"
_OF_PROBABILITIES = ("brier", "nll", "calibration")


def check(config):
    """Raise ConfigError where an option of a TrainConfig says the split already."""
    for name in ("split_file", "holdout"):
        if getattr(config, name) is not None:
            raise ConfigError(f"--kfold makes its own splits. Leave --{name.replace('_', '-')} out.")


def prepare(study, config):
    """Write the split of each fold.

    Args:
        study: StudyDir.
        config: TrainConfig.

    Raises:
        DataError: the data cannot be read, or are too few.
    """
    config = config.resolved()
    manifest = choose_manifest(config, positive=config.positive, split=lambda manifest: manifest)
    folds = fold_manifests(manifest, study.read_record()["runs"], seed=config.seed)
    for number, fold in enumerate(folds, start=1):
        write_split_csv(fold, study.split_file(number))


def member_config(study, config, number):
    """The configuration of the run of a fold."""
    return dataclasses.replace(config, split_file=str(study.split_file(number).resolve()), limit=None)


def report(study):
    """Pool the predictions of all folds into one report, and write them as a table.

    Each image has the label that the model of its fold gives it, with a threshold and a calibration that come from
    validation patients inside the training folds. Images of all folds are ranked by log-odds less those of their
    fold's threshold. Brier score, NLL and ECE are of the calibrated probabilities.

    Args:
        study: StudyDir.

    Returns:
        dict of JSON values: runs (their folders), n, n_patients, `pooled` (a report like that of a split, see
        docs/evaluation.md) and `figures`: dict figure -> mean, sd... over the folds.
    """
    members = [read_member(member.path, "test") for member in study.members()]
    pairs = [(member.predictions, member.decision) for member in members]
    pooled = _pooled([(part, decided_logits(part, decision)) for part, decision in pairs])
    calibrated = _pooled([(part, decision.calibration.scores(part.logits)) for part, decision in pairs])
    neutral = Decision(DEFAULT_POINT if pooled.is_binary else None)
    found = evaluate_split(pooled, neutral)
    found |= {name: evaluate_split(calibrated, neutral)[name] for name in _OF_PROBABILITIES}
    tables = [prediction_table(part, decision).assign(fold=k) for k, (part, decision) in enumerate(pairs, start=1)]
    storage.write_csv(study.predictions_file, pd.concat(tables, ignore_index=True))
    return {
        "runs": [str(member.directory.path) for member in members],
        "n": len(pooled),
        "n_patients": pooled.n_patients,
        "pooled": found,
        "figures": spreads(members),
    }


def rows(found):
    """A report as rows of text with a header: pooled with the interval by patient, standard deviation, each fold."""
    header = ["", "pooled, 95 % by patient", "sd over folds", *(f"fold {k + 1}" for k in range(len(found["runs"])))]
    table = []
    for name in (name for name in FIGURES if name in found["figures"]):
        figure = found["figures"][name]
        deviation, *each = (f"{number:.3f}" for number in (figure["sd"], *figure["values"]))
        table.append([name, estimate_text(found["pooled"][name], undefined="-"), deviation, *each])
    return [header, *table]


def _pooled(parts):
    """One Predictions of the images of several, each with other logits than its own."""
    first = parts[0][0]
    subtypes = [part.subtypes or ("",) * len(part) for part, _ in parts]
    joined = tuple(subtype for some in subtypes for subtype in some)
    return Predictions(
        paths=tuple(path for part, _ in parts for path in part.paths),
        patient_ids=np.concatenate([part.patient_ids for part, _ in parts]),
        y_true=np.concatenate([part.y_true for part, _ in parts]),
        logits=np.concatenate([logits for _, logits in parts]),
        classes=first.classes,
        positive=first.positive,
        split=OUT_OF_FOLD,
        subtypes=joined if any(joined) else None,
    )
