"""How well image size and border pixels alone predict the class."""

import logging

import numpy as np

from medxray.data.audit.shortcuts import fitted_scores, held_out_scores, probe_obstacle, size_features, size_model
from medxray.data.image_stream import images_of
from medxray.data.left_out import report_left_out
from medxray.data.manifest import Skipped
from medxray.errors import DataError
from medxray.evaluation.pictures import FilePictures
from medxray.explain.audit.regions import BORDER_PIXELS, SIZE
from medxray.explain.checks.sample import balanced_order
from medxray.metrics.intervals import estimate
from medxray.metrics.label_estimates import label_estimates
from medxray.metrics.map_concentration import border_mask
from medxray.predict.input_form import InputForm
from medxray.runs.images import own_manifest
from medxray.system import progress

log = logging.getLogger(__name__)
IMAGES = 400  # to fit on, and to judge by
_SIDE, _BATCH = 40, 32
_STRENGTH = 0.01  # inverse of the weight decay of the logistic regression


class Features:
    """What the probes see of images.

    Attributes:
        labels: int64 array (n,), class index.
        patients: str array (n,).
        of_probe: dict SIZE, BORDER_PIXELS -> float64 array (n,c).
        left_out: dict path -> reason of those that cannot be read.
    """

    def __init__(self, manifest, *, images, seed):
        rows = balanced_order(manifest.labels(), manifest.patients(), seed)[:images]
        files = manifest.files()
        files = [files[row] for row in rows]
        borders, reasons = _borders(files)
        good = np.array([not reason for reason in reasons], bool)
        self.labels, self.patients = manifest.labels()[rows][good], manifest.patients()[rows][good]
        sizes = FilePictures([file for file, kept in zip(files, good, strict=True) if kept]).statistics()
        self.of_probe = {SIZE: size_features(sizes[["width", "height"]]), BORDER_PIXELS: borders[good]}
        self.left_out = {str(file): why for file, why in zip(files, reasons, strict=True) if why}
        report_left_out([Skipped(*item) for item in self.left_out.items()], files=len(files))

    def __len__(self):
        return len(self.labels)


def probe_shortcuts(run, part, split, *, is_own, seed, images=IMAGES):
    """Fit classifiers that see the size of the file, or the outer tenth of the image, alone.

    Of the run's own data they are fitted on training images and judged by those of the split. Of other data, and of
    the training split itself, they are cross-validated by patient.

    Args:
        run: trained_run.Run.
        part: Manifest of the split.
        split: its name.
        is_own: whether it is of the run's own data.
        seed: of the samples and of the bootstrap.
        images: how many to fit on, and how many to judge by, at most.

    Returns:
        dict: SIZE and BORDER_PIXELS, each with auroc, balanced_accuracy (value and ci95, by patient), n, and note, why
        there are none, or ""; judged, in words; left_out, dict path -> reason.
    """
    judged = Features(part, images=images, seed=seed)
    training = _training_features(run, part, images, seed) if is_own and split != "train" else None
    probes = ((SIZE, size_model), (BORDER_PIXELS, border_model))
    found = {
        name: _probe(make_model, name, training, judged, classes=len(run.classes), seed=seed)
        for name, make_model in progress.each(probes, len(probes), "Shortcut classifiers")
    }
    how = "cross-validated by patient" if training is None else f"fitted on {len(training)} training images"
    left_out = judged.left_out | ({} if training is None else training.left_out)
    return found | {"judged": how, "left_out": left_out}


def border_model(images):
    """An unfitted logistic regression on standardised pixels, with classes of equal weight."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(
        StandardScaler(), LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=1000, random_state=0)
    )


def _borders(files):
    """(grey levels 0-1 of the outer tenth of images of _SIDE x _SIDE pixels, why each cannot be read)."""
    form, mask, found, reasons = InputForm((_SIDE, _SIDE), 1, "stretch"), border_mask((_SIDE, _SIDE)), [], []
    for batch in progress.counted(form.stream(files, _BATCH), len(files), "Borders of images", size=images_of):
        found.append(batch.pixels[..., 0][:, mask] / 255.0)
        reasons += batch.reasons
    return np.concatenate(found), reasons


def _training_features(run, part, images, seed):
    """Features of training images, or None, with a word, where there are too few."""
    try:
        training = own_manifest(run, "train", root=part.root)
    except DataError as error:
        log.warning("The shortcut classifiers cannot be fitted on training images: %s", error)
        return None
    present = set(training.labels().tolist()) if len(training) else set()
    if not set(part.labels().tolist()) <= present:
        log.info("The run has no training images of every class: the shortcut classifiers are cross-validated.")
        return None
    return Features(training, images=images, seed=seed)


def _probe(make_model, name, training, judged, *, classes, seed):
    note = _obstacle(name, training, judged)
    if note:
        return {"auroc": estimate(np.nan), "balanced_accuracy": estimate(np.nan), "n": len(judged), "note": note}
    scores, present = np.zeros((len(judged), classes)), np.unique(judged.labels)
    if training is None:
        labels = np.searchsorted(present, judged.labels)
        scores[:, present] = held_out_scores(make_model, judged.of_probe[name], labels, judged.patients)
    else:
        found = fitted_scores(make_model, training.of_probe[name], training.labels, judged.of_probe[name])
        scores[:, : found.shape[1]] = found
    return label_estimates(judged.labels, scores, judged.patients, seed=seed) | {"n": len(judged), "note": ""}


def _obstacle(name, training, judged):
    """Why a probe can tell nothing, or ""."""
    if not len(judged) or (training is not None and not len(training)):
        return "no image can be read"
    values = judged.of_probe[name] if training is None else training.of_probe[name]
    if (values == values[0]).all():
        return "all images have one size" if name == SIZE else "all borders are alike"
    if training is None:
        return probe_obstacle(judged.labels, judged.patients)
    return "there is one class only" if len(np.unique(training.labels)) < 2 else ""
