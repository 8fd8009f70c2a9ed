"""Predictions -> everything an evaluation leaves in a run: decision, metrics, tables, plots, model card."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from medxray import storage
from medxray.data import images
from medxray.data.thumbnails import read_thumbnail
from medxray.errors import ImageError, RunError
from medxray.evaluate.decision import DEFAULT_POINT, Decision, fit_decision
from medxray.evaluate.model_card import model_card
from medxray.evaluate.report import evaluate_split
from medxray.plots.run_plots import draw_evaluation, draw_history
from medxray.predictions import Predictions, write_predictions

log = logging.getLogger(__name__)
THRESHOLD_SPLIT = "val"
_GALLERY_PIXELS = 192


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
        draw_evaluation(
            reports[part.split], part, decision, folder / "plots", thumbnails=drawn.thumbnail
        )
    storage.write_json(folder / "metrics.json", {"splits": reports})


class Pictures:
    """The images behind predictions, for statistics and thumbnails.

    Args:
        source: pipeline.Source.
        rows: int array, the rows of the source in the order of the predictions.
    """

    def __init__(self, source, rows):
        self._source, self._rows = source, np.asarray(rows, int)

    def thumbnail(self, index):
        """One image as the model sees it: uint8 (h,w), or (h,w,3) for a colour model."""
        pixels = next(iter(self._source.dataset(self._rows[index : index + 1]).as_numpy_iterator()))
        return pixels[..., 0] if pixels.shape[-1] == 1 else pixels

    def batches(self, size):
        """tf.data.Dataset of uint8 pixels (b,H,W,C) as the model sees them, `size` images at a time, in order."""
        return self._source.dataset(self._rows).batch(size).prefetch(2)

    def statistics(self):
        """DataFrame with width and height of the files in pixels and mean brightness 0-255 as the model sees it."""
        sizes = [_file_size(self._source.files[row]) for row in self._rows]
        brightness = [float(pixels.mean()) for pixels in self._source.dataset(self._rows).as_numpy_iterator()]
        width, height = zip(*sizes) if sizes else ((), ())
        return pd.DataFrame({"width": width, "height": height, "brightness": brightness}, dtype=float)


class FilePictures:
    """The image files behind predictions that were made without their pixels; no TensorFlow.

    Args:
        files: paths, in the order of the predictions.
    """

    def __init__(self, files):
        self._files = list(files)

    def thumbnail(self, index):
        """The picture in a file: uint8 (h,w), or (h,w,3); raises ImageError when it cannot be read."""
        return read_thumbnail(self._files[index], _GALLERY_PIXELS)

    def statistics(self):
        """DataFrame with width and height of the files in pixels, nan where unknown; brightness is not measured."""
        sizes = np.array([_file_size(file) for file in self._files], float).reshape(-1, 2)
        return pd.DataFrame({"width": sizes[:, 0], "height": sizes[:, 1], "brightness": np.nan}, dtype=float)


def _file_size(path):
    try:
        info = images.identify(path)
    except (ImageError, OSError):
        return np.nan, np.nan
    return info.width, info.height


def stored_decision(record, path):
    """The Decision in run.json; without one (an interrupted run) 0.5 and no calibration, with a warning.

    Args:
        record: dict of run.json.
        path: directory of the run, for the warning.

    Raises:
        RunError: it is damaged, or does not fit the classes of the run.
    """
    if "decision" in record:
        return _fitting(Decision.from_dict(record["decision"]), record)
    log.warning(
        "This run was not evaluated, so it has no threshold or calibration of its own; 0.5 and none are used. "
        "Finish it with: medxray train --resume %s",
        path,
    )
    binary = record.get("data", {}).get("positive") is not None
    return Decision(DEFAULT_POINT if binary else None)


def _fitting(decision, record):
    bias, classes = decision.calibration.bias, record["data"]["classes"]
    if len(bias) not in (0, len(classes)):
        raise RunError(
            f"A stored decision needs one bias for each of the {len(classes)} classes of the run. Received "
            f"{len(bias)} numbers. The run is damaged: train it again."
        )
    return decision


def predictions_of(part, logits, *, split):
    """Put a manifest's facts and a model's logits together."""
    subtypes = tuple(part.table["subtype"])
    return Predictions(
        paths=tuple(part.table["path"]),
        patient_ids=part.patients(),
        y_true=part.labels(),
        logits=logits,
        classes=part.classes,
        positive=part.positive,
        split=split,
        subtypes=subtypes if any(subtypes) else None,
    )
