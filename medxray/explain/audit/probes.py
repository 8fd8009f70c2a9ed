"""How well image size, border pixels, and images without their lungs alone predict the class."""

import logging

import numpy as np

from medxray.data.audit.shortcuts import fitted_scores, held_out_scores, probe_obstacle, size_features, size_model
from medxray.data.image_stream import images_of
from medxray.data.left_out import report_left_out
from medxray.data.lungs.field import lung_field
from medxray.data.manifest import Skipped
from medxray.errors import DataError
from medxray.evaluation.pictures import FilePictures
from medxray.explain.audit.regions import BORDER_PIXELS, LUNGS_MASKED, SIZE
from medxray.explain.checks.sample import balanced_order
from medxray.metrics.intervals import estimate
from medxray.metrics.label_estimates import label_estimates
from medxray.metrics.map_concentration import border_mask
from medxray.predict.input_form import InputForm
from medxray.runs.images import own_manifest
from medxray.system import progress

log = logging.getLogger(__name__)
IMAGES = 400  # to fit on, and to judge by
LUNG_IMAGES = 200  # of these, where lungs have to be found: that takes long
_SIDE, _FINE, _BATCH = 40, 4, 32  # lungs are found in images of _FINE times the size
_ALIKE = {SIZE: "all images have one size", BORDER_PIXELS: "all borders are alike"}  # others: all images are
_STRENGTH = 0.01  # inverse of the weight decay of the logistic regression


class Features:
    """What the probes see of images.

    Attributes:
        labels: int64 array (n,), class index.
        patients: str array (n,).
        of_probe: dict SIZE, BORDER_PIXELS, LUNGS_MASKED -> float64 array (n,c); rows of nan do not count.
        left_out: dict path -> reason of those that cannot be read.
    """

    def __init__(self, manifest, *, images, seed):
        rows = balanced_order(manifest.labels(), manifest.patients(), seed)[:images]
        files = manifest.files()
        files = [files[row] for row in rows]
        borders, without_lungs, reasons = _pixels(files)
        good = np.array([not reason for reason in reasons], bool)
        self.labels, self.patients = manifest.labels()[rows][good], manifest.patients()[rows][good]
        sizes = FilePictures([file for file, kept in zip(files, good, strict=True) if kept]).statistics()
        self.of_probe = {
            SIZE: size_features(sizes[["width", "height"]]),
            BORDER_PIXELS: borders[good],
            LUNGS_MASKED: without_lungs[good],
        }
        self.left_out = {str(file): why for file, why in zip(files, reasons, strict=True) if why}
        report_left_out([Skipped(*item) for item in self.left_out.items()], files=len(files))

    def __len__(self):
        return len(self.labels)

    def of(self, name):
        """(Features, labels, patients) of the images that count for a probe, arrays."""
        values = self.of_probe[name]
        known = np.isfinite(values).all(axis=1)
        return values[known], self.labels[known], self.patients[known]


def probe_shortcuts(run, part, split, *, is_own, seed, images=IMAGES):
    """Fit classifiers that see the size of the file, the outer tenth of the image, or what is outside the lungs.

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
        dict: SIZE, BORDER_PIXELS and LUNGS_MASKED, each with auroc, balanced_accuracy (value and ci95, by patient), n,
        and note, why there are none, or ""; judged and lungs, in words; left_out, dict path -> reason.
    """
    judged = Features(part, images=images, seed=seed)
    training = _training_features(run, part, images, seed) if is_own and split != "train" else None
    probes = ((SIZE, size_model), (BORDER_PIXELS, pixel_model), (LUNGS_MASKED, pixel_model))
    found = {
        name: _probe(make_model, name, training, judged, classes=len(run.classes), seed=seed)
        for name, make_model in progress.each(probes, len(probes), "Shortcut classifiers")
    }
    how = "cross-validated by patient" if training is None else f"fitted on {len(training)} training images"
    left_out = judged.left_out | ({} if training is None else training.left_out)
    return found | {"judged": how, "lungs": _lungs_text(training, judged), "left_out": left_out}


def _lungs_text(training, judged):
    """On how many images the classifier without lungs rests, a sentence."""
    of = {"training": training, "judged": judged} if training is not None else {"the": judged}
    counts = [
        f"{len(one.of(LUNGS_MASKED)[1])} of {min(len(one), LUNG_IMAGES)} {name} images" for name, one in of.items()
    ]
    return f"Pixels outside the lungs: where lungs were found, {' and '.join(counts)}."


def pixel_model(images):
    """An unfitted logistic regression on standardised pixels, with classes of equal weight."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(
        StandardScaler(), LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=1000, random_state=0)
    )


def _pixels(files):
    """What the probes of pixels see of files, and why each cannot be read.

    Returns:
        (grey levels 0-1 of the outer tenth of images of _SIDE x _SIDE pixels, float64 (n,b); those of whole images, the
        lungs with the mean of what is outside, (n,_SIDE * _SIDE), nan where no lungs were found or looked for; reasons,
        list of n texts).
    """
    side, edge = _SIDE * _FINE, border_mask((_SIDE, _SIDE))
    form, borders, masked, reasons = InputForm((side, side), 1, "stretch"), [], [], []
    for batch in progress.counted(form.stream(files, _BATCH), len(files), "Images of the probes", size=images_of):
        for image, reason in zip(batch.pixels[..., 0], batch.reasons, strict=True):
            wanted = not reason and len(masked) < LUNG_IMAGES
            borders.append(_small(image)[edge])
            masked.append(_without_lungs(image) if wanted else np.full(_SIDE * _SIDE, np.nan))
        reasons += batch.reasons
    return np.array(borders), np.array(masked), reasons


def _without_lungs(image):
    """Grey levels 0-1 of an image, uint8 (h,w), without its lungs: float64 (_SIDE * _SIDE,), nan if none are found."""
    lungs = lung_field(image).mask
    if lungs is None:
        return np.full(_SIDE * _SIDE, np.nan)
    return _small(np.where(lungs, image[~lungs].mean(), image)).ravel()


def _small(image):
    """An image, (_SIDE * _FINE) pixels a side, 0-255, as float64 (_SIDE,_SIDE), 0-1: means of squares."""
    return image.reshape(_SIDE, _FINE, _SIDE, _FINE).mean(axis=(1, 3)) / 255.0


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
    values, labels, patients = judged.of(name)
    fitted_on = judged.of(name) if training is None else training.of(name)
    note = _obstacle(name, judged, fitted_on, values, is_held_out=training is None)
    if note:
        return {"auroc": estimate(np.nan), "balanced_accuracy": estimate(np.nan), "n": len(labels), "note": note}
    scores, present = np.zeros((len(labels), classes)), np.unique(labels)
    if training is None:
        scores[:, present] = held_out_scores(make_model, values, np.searchsorted(present, labels), patients)
    else:
        found = fitted_scores(make_model, *fitted_on[:2], values)
        scores[:, : found.shape[1]] = found
    return label_estimates(labels, scores, patients, seed=seed) | {"n": len(labels), "note": ""}


def _obstacle(name, judged, fitted_on, values, *, is_held_out):
    """Why a probe can tell nothing, or ""."""
    seen, labels, patients = fitted_on
    if not len(values) or not len(seen):
        return "no lungs were found" if name == LUNGS_MASKED and len(judged) else "no image can be read"
    if (seen == seen[0]).all():
        return _ALIKE.get(name, "all images are alike")
    if is_held_out:
        return probe_obstacle(labels, patients)
    return "there is one class only" if len(np.unique(labels)) < 2 else ""
