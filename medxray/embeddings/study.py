"""A file of embeddings -> an evaluated nearest-neighbour classifier, or a map of the classes. No TensorFlow."""

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from medxray.data.images.thumbnails import jpeg_data, read_thumbnail
from medxray.embeddings.knn import REFERENCE, choose_knn, classify, knn_predictions
from medxray.embeddings.map import ScatterDisplay
from medxray.embeddings.map_page import scatter_page
from medxray.embeddings.neighborhood import DEFAULT_METRIC, DEFAULT_NEIGHBORS, check_metric, structure_report
from medxray.embeddings.projection import project, stratified_rows
from medxray.embeddings.vectors import read_embeddings
from medxray.errors import DataError, ImageError
from medxray.evaluation.pictures import FilePictures
from medxray.evaluation.report import report_split, write_assessment
from medxray.metrics.decision import fit_decision
from medxray.metrics.threshold_rules import USUAL_RULE, check_rule_applies
from medxray.plots import style
from medxray.runs.evaluation_files import EvaluationFiles
from medxray.system import progress, storage

log = logging.getLogger(__name__)
SHOWN_IMAGES = 1500
_OUT_OF_FOLD = "Each image was classified by images of other patients in the other folds of train and validation."
_LEARNED = " The network has learned from the training images among them, so these figures are optimistic."


@dataclasses.dataclass(frozen=True)
class Study:
    """What a study found and wrote.

    Attributes:
        result: dict of JSON values.
        files: paths written, folders for the whole of what lies in them.
    """

    result: dict
    files: tuple[Path, ...]


def study_knn(path, *, rule=USUAL_RULE, seed=0):
    """Choose, fit and evaluate a nearest-neighbour classifier on embeddings.

    k and metric are chosen by patient-grouped cross-validation on train and validation images, which are then the
    reference. Calibration and threshold are fitted on the out-of-fold predictions of the validation images (of all
    reference images when there is no validation split). Test images are classified once, with all of it fixed.

    Args:
        path: npz of embeddings.
        rule: threshold rule, see `metrics.thresholds`.
        seed: of the folds.

    Returns:
        Study; its result has the keys of knn.json, and `splits` as in metrics.json. Everything lies in
        `<name of the file>-knn` beside the file.

    Raises:
        DataError: the file cannot be used, or has no train or no test images.
        ConfigError: the rule cannot be read, or three or more classes have no threshold.
    """
    embeddings = read_embeddings(path)
    check_rule_applies(rule, embeddings.classes)
    reference, test = embeddings.in_splits(*REFERENCE), embeddings.in_splits("test")
    _check_splits(path, embeddings)
    choice = choose_knn(reference, seed=seed)
    fitted_on, held_out = _held_out(reference, choice)
    logits = classify(reference, test.vectors, k=choice.best.k, metric=choice.best.metric)
    splits = [held_out, knn_predictions(test, logits, split="test")]
    decision = fit_decision(held_out, rule=rule)
    pictures = {part.split: FilePictures(rows.files()) for part, rows in zip(splits, (fitted_on, test), strict=True)}
    notes = {held_out.split: [_out_of_fold_note(fitted_on)], "test": _shared_patients(reference, test)}
    reports = {
        part.split: report_split(part, decision, pictures[part.split], notes=notes[part.split]) for part in splits
    }
    folder = Path(path).parent / f"{Path(path).stem}-knn"
    write_assessment(EvaluationFiles(folder), splits, decision=decision, reports=reports, pictures=pictures)
    record = _knn_record(embeddings, choice, reference=reference, decision=decision)
    storage.write_json(folder / "knn.json", record)
    return Study(storage.plain(record | {"splits": reports}), (folder,))


def _check_splits(path, embeddings):
    for name in ("train", "test"):
        if not (embeddings.splits == name).any():
            present = ", ".join(sorted(set(embeddings.splits) - {""})) or "none"
            raise DataError(
                f"{path} has no images of the split {name} (splits in it: {present}). A nearest-neighbour classifier "
                "needs train and test: extract all splits, without --split."
            )


def _held_out(reference, choice):
    """The images that calibration and threshold are fitted on, and their out-of-fold predictions."""
    mask, name = reference.splits == "val", "val"
    if not mask.any():
        mask, name = np.ones(len(reference), bool), "train-out-of-fold"
        log.warning("There is no validation split: the threshold comes from out-of-fold predictions of train.")
    rows = reference.where(mask)
    return rows, knn_predictions(rows, choice.logits[mask], split=name)


def _out_of_fold_note(fitted_on):
    return _OUT_OF_FOLD + _LEARNED if (fitted_on.splits == "train").any() else _OUT_OF_FOLD


def _shared_patients(reference, test):
    shared = np.intersect1d(reference.patients, test.patients)
    if not len(shared):
        return []
    note = (
        f"{len(shared)} patients have images in test and in train or validation, which flatters nearest neighbours "
        "most of all: split by patient."
    )
    log.warning("%s", note)
    return [note]


def _knn_record(embeddings, choice, *, reference, decision):
    return {
        "k": choice.best.k,
        "metric": choice.best.metric,
        "folds": choice.folds,
        "seed": choice.seed,
        "criterion": "highest out-of-fold AUROC, then lowest negative log-likelihood, then smallest k",
        "candidates": [dataclasses.asdict(one) for one in choice.candidates],
        "reference": {
            "splits": [name for name in REFERENCE if (reference.splits == name).any()],
            "images": len(reference),
            "patients": len(np.unique(reference.patients)),
        },
        "decision": decision.to_dict(),
        "classes": list(embeddings.classes),
        "run": embeddings.run,
        "model_digest": embeddings.model_digest,
    }


def study_plot(
    path, *, method="tsne", splits=(), k=DEFAULT_NEIGHBORS, metric=DEFAULT_METRIC, seed=0, shown=SHOWN_IMAGES
):
    """Draw embeddings as a map, with neighbourhood purity and silhouette beside it.

    Args:
        path: npz of embeddings.
        method: "tsne" or "pca".
        splits: names of the splits to take; empty: all images of the file.
        k: neighbours that count for the purity.
        metric: distance for purity and silhouette, measured in the original space.
        seed: of t-SNE, of the bootstrap and of the choice of images on the page.
        shown: most images on the page; of more, a stratified sample is shown. The PNG has all.

    Returns:
        Study; its result is the content of the JSON file. `<name>-<method>[-<splits>].png`, .html, .json and .csv lie
        beside the file.

    Raises:
        ConfigError: unknown method or metric.
        DataError: the file cannot be used, or has too few images.
    """
    check_metric(metric)
    embeddings = read_embeddings(path)
    if splits:
        embeddings = embeddings.in_splits(*splits)
    projection = project(embeddings.vectors, method, seed=seed)
    structure = structure_report(embeddings, k=k, metric=metric, seed=seed)
    page, unread = _page(embeddings, projection, structure, shown=shown, seed=seed)
    result = {
        "method": method,
        "settings": projection.settings,
        "images": len(embeddings),
        "patients": len(np.unique(embeddings.patients)),
        "structure": structure,
        "run": embeddings.run,
        "model_digest": embeddings.model_digest,
        "page": {"images": min(shown, len(embeddings)), "unreadable": unread, "seed": seed},
    }
    stem = Path(path).parent / "-".join((Path(path).stem, method, *dict.fromkeys(splits)))
    files = {ending: stem.with_name(f"{stem.name}.{ending}") for ending in ("png", "html", "json", "csv")}
    style.save(ScatterDisplay(embeddings, projection, structure).plot(), files["png"])
    storage.write_text(files["html"], page)
    storage.write_json(files["json"], result)
    storage.write_csv(files["csv"], _points(embeddings, projection))
    return Study(storage.plain(result), tuple(files.values()))


def _page(embeddings, projection, structure, *, shown, seed):
    strata = np.char.add(np.char.add(embeddings.splits, "/"), embeddings.labels)
    rows = stratified_rows(strata, shown, seed=seed)
    files, thumbnails = embeddings.files(), []
    with progress.track(len(rows), "Thumbnails") as bar:
        for row in rows:
            thumbnails.append(_thumbnail(files[row]))
            bar.advance(1)
    unread = thumbnails.count(None)
    if unread:
        log.warning("%d of %d images cannot be read any more: the page shows no picture of them.", unread, len(rows))
    return scatter_page(embeddings, projection, structure, rows=rows, thumbnails=thumbnails, seed=seed), unread


def _thumbnail(file):
    try:
        return jpeg_data(read_thumbnail(file))
    except ImageError:
        return None


def _points(embeddings, projection):
    return pd.DataFrame(
        {
            "path": embeddings.ids,
            "patient_id": embeddings.patients,
            "label": embeddings.labels,
            "split": embeddings.splits,
            "x": projection.points[:, 0],
            "y": projection.points[:, 1],
        }
    )
