"""The images of a film: which they are, in which order, what is known of them and what the model says."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medxray.data.images.access import path_text
from medxray.data.layouts.unlabelled import unlabelled_manifest
from medxray.errors import ConfigError, DataError
from medxray.evaluation.evaluate import part_of_data
from medxray.evaluation.pictures import Pictures
from medxray.film.request import ERRORS
from medxray.metrics.prediction_table import read_predictions
from medxray.models.inference import logits_model, predict_batches
from medxray.predict.inputs import expand_inputs

log = logging.getLogger(__name__)
_OF_A_CSV = ("path_col", "patient_col", "image_root")  # options that images without labels take


@dataclass(frozen=True, eq=False)
class Subjects:
    """The images of a film in its order, n of them.

    Attributes:
        files: list of pathlib.Path.
        names: list of paths relative to the data, text.
        truths: int64 array (n,), class index; None where the data have no labels.
        logits: float array (n,K), not calibrated.
        predicted: int64 array (n,), the class by the run's decision.
        what: what they are of, in words.
        available: how many there were to choose from.
    """

    files: list
    names: list
    truths: np.ndarray | None
    logits: np.ndarray
    predicted: np.ndarray
    what: str
    available: int

    def __len__(self):
        return len(self.files)

    def some(self, rows):
        """The Subjects of some rows, int array, in that order."""
        return replace(
            self,
            files=[self.files[row] for row in rows],
            names=[self.names[row] for row in rows],
            truths=None if self.truths is None else self.truths[rows],
            logits=self.logits[rows],
            predicted=self.predicted[rows],
        )


def film_subjects(run, data, request, *, split="test", label_map=None, columns=None, exclude_known=False):
    """Choose the images of a film and predict them, unless the run holds their predictions.

    Args:
        run: trained_run.Run.
        data: folder or CSV; None: the run's own split. The images of a folder that lie in it directly have no labels.
        request: request.FilmRequest.
        split: "train", "val" or "test"; data without splits is taken whole.
        label_map: dict label of the data -> class of the run.
        columns: dict of the options of a CSV, as for `evaluation.evaluate.write_evaluation`.
        exclude_known: leave out patients and pictures of the training that other data hold in other files, too.

    Returns:
        Subjects. Files that cannot be read are left out, and the log tells them.

    Raises:
        ConfigError: options contradict each other.
        DataError: no image is left, or the labels are not classes of the run.
    """
    how = {"label_map": label_map, "columns": columns, "exclude_known": exclude_known}
    part, labelled, own = _part(run, data, split, request, how)
    what = f"{split} split of {run.name}" if own else Path(data).resolve().name
    order = np.random.default_rng(request.seed).permutation(len(part))
    if request.only is None:
        found = _predicted(run, _rows(part, order[: request.images]), labelled, own and split, what)
        return replace(found, available=len(part))
    if not labelled:
        raise ConfigError(f"--only {request.only} needs true labels, and {data} has none. Leave it out.")
    found = _predicted(run, _rows(part, order), labelled, own and split, what)
    wrong = found.predicted != found.truths
    rows = np.flatnonzero(wrong if request.only == ERRORS else ~wrong)
    if not len(rows):
        raise DataError(
            f"No image of {what} is labelled {'wrongly' if request.only == ERRORS else 'rightly'}, so there is no film "
            f"to make ({len(found)} images). Leave --only out, or name other data."
        )
    return replace(found.some(rows[: request.images]), available=len(rows))


def _part(run, data, split, request, how):
    """(Manifest, whether it has labels, whether it is the run's own split)."""
    if request.unlabelled:
        if data is None:
            raise ConfigError("--unlabelled is for --data. The run's own images have labels: leave it out.")
        return _without_labels(run, data, how), False, False
    try:
        part, known, _ = part_of_data(run, data, split, **how)
    except DataError as error:
        if data is None or not Path(data).is_dir():
            raise
        if _given(how) or not is_plain(data):
            raise DataError(f"{error} If the images have no labels: --unlabelled.") from error
        log.info("%s has no class folders: true labels and confusion matrix are left out.", path_text(data))
        return _without_labels(run, data, how), False, False
    return part, True, known is None


def is_plain(folder):
    """Whether all images below a folder lie in it directly; DataError where it holds none."""
    return {file.parent for file in expand_inputs([folder])} == {Path(folder)}


def _given(how):
    """The options of how data are read that were given: dict name -> value."""
    flat = (how["columns"] or {}) | {name: how[name] for name in ("label_map", "exclude_known")}
    return {name: value for name, value in flat.items() if value}


def _without_labels(run, data, how):
    given = _given(how)
    for name in sorted(set(given) - set(_OF_A_CSV)):
        raise ConfigError(f"--{name.replace('_', '-')} is for labelled data. Leave it out with --unlabelled.")
    files = [] if Path(data).is_file() else expand_inputs([data])
    return unlabelled_manifest(data, files, classes=run.classes, positive=run.positive, **given)


def _rows(part, rows):
    return replace(part, table=part.table.iloc[rows].reset_index(drop=True))


def _predicted(run, part, labelled, split, what):
    """The Subjects of a Manifest, in its order; `split` is that of the run it is part of, or false."""
    if not len(part):
        raise DataError(f"There is no image in {what}. Name another --split, or other data with --data.")
    logits = _stored_logits(run, part, split) if split else None
    if logits is None:
        source, part = run.form.readable(part)
        if not len(part):
            raise DataError(f"No image of {what} can be read. Name other data with --data.")
        pictures = Pictures(source, np.arange(len(part)))
        logits = predict_batches(logits_model(run.model), pictures.batches(run.batch))
    truths = part.labels() if labelled else None
    names = [path_text(path) for path in part.table["path"]]
    return Subjects(part.files(), names, truths, logits, run.decision.labels(logits), what, len(part))


def _stored_logits(run, part, split):
    """What the run holds of the images of one of its own splits, float64 (n,K); None where it lacks some."""
    file = run.directory.latest_evaluation(split).predictions_file
    stored = read_predictions(file).get(split) if file.is_file() else None
    place = {} if stored is None else {path: row for row, path in enumerate(stored.paths)}
    rows = [place.get(path) for path in part.table["path"]]
    return None if None in rows else stored.logits[rows]
