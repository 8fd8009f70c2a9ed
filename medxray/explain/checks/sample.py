"""The images that explanation methods are checked on: chosen by seed, decoded, predicted."""

from dataclasses import dataclass

import numpy as np

from medxray.data.image_stream import images_of
from medxray.data.left_out import report_left_out
from medxray.data.manifest import Skipped
from medxray.errors import DataError
from medxray.explain.maps import default_targets, fixed_target
from medxray.system import progress

_BATCH = 16


@dataclass(frozen=True, eq=False)
class CheckedImages:
    """Images of a sample, n of them.

    Attributes:
        files: list of pathlib.Path.
        patients: str array (n,).
        labels: int64 array (n,), class index.
        pixels: uint8 array (n,H,W,C), as the model takes them.
        boxes: list of (top, left, height, width) in pixels, where each image lies in its input.
        left_out: dict path -> reason of those that cannot be read.
    """

    files: list
    patients: np.ndarray
    labels: np.ndarray
    pixels: np.ndarray
    boxes: list
    left_out: dict

    def __len__(self):
        return len(self.files)

    def batches(self, size=_BATCH):
        """Float32 arrays (b,H,W,C) of all images, in order."""
        for start in range(0, len(self), size):
            yield self.pixels[start : start + size].astype(np.float32)


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model says about the images of a sample.

    Attributes:
        targets: int32 array (n,), the class that is explained in each, see `maps.default_targets`.
        predicted: int64 array (n,), the class by the run's decision.
        scores: float64 array (n,), 0-1, calibrated probability of the explained class.
    """

    targets: np.ndarray
    predicted: np.ndarray
    scores: np.ndarray


def balanced_order(labels, patients, seed):
    """An order of images whose beginnings have as many of each class, and no patient twice while others are left.

    Args:
        labels: int array (n,), class index.
        patients: str array (n,).
        seed: of the random draws.

    Returns:
        int64 array (n,), positions.
    """
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(labels))
    seen_of_patient, seen_of_class, keys = {}, {}, np.zeros((2, len(labels)), int)
    for at in shuffled:  # how many images of the same patient come before each one
        keys[0, at] = seen_of_patient.get(patients[at], 0)
        seen_of_patient[patients[at]] = keys[0, at] + 1
    for at in sorted(shuffled, key=lambda at: keys[0, at]):
        keys[1, at] = seen_of_class.get(labels[at], 0)
        seen_of_class[labels[at]] = keys[1, at] + 1
    return np.array(sorted(shuffled, key=lambda at: (keys[1, at], labels[at])), np.int64)


def read_sample(run, manifest, *, images, seed):
    """Choose images by seed and read them.

    Args:
        run: trained_run.Run.
        manifest: Manifest of what may be chosen.
        images: how many at most.
        seed: of the choice.

    Returns:
        CheckedImages in the order of `balanced_order`. Those that cannot be read are left out with a warning.

    Raises:
        DataError: there is none, or fewer than two can be read.
    """
    if not len(manifest):
        raise DataError(
            f"No image of {manifest.root} is in this split. Name another --split, or other data with --data."
        )
    rows = balanced_order(manifest.labels(), manifest.patients(), seed)[:images]
    files = manifest.files()
    files = [files[row] for row in rows]
    batches = list(progress.counted(run.form.stream(files, _BATCH), len(files), "Decoding images", size=images_of))
    reasons = [reason for batch in batches for reason in batch.reasons]
    good = np.array([not reason for reason in reasons], bool)
    skipped = [Skipped(str(file), reason) for file, reason in zip(files, reasons, strict=True) if reason]
    report_left_out(skipped, files=len(files))
    if good.sum() < 2:
        raise DataError(
            f"Two images or more are needed to check explanations. {good.sum()} of {len(files)} chosen of "
            f"{manifest.root} can be read. Name other data with --data, or more with --images."
        )
    return CheckedImages(
        files=[file for file, kept in zip(files, good, strict=True) if kept],
        patients=manifest.patients()[rows][good],
        labels=manifest.labels()[rows][good],
        pixels=np.concatenate([batch.pixels for batch in batches])[good],
        boxes=[box for batch in batches for box in batch.of_readable(batch.boxes)],
        left_out={item.path: item.reason for item in skipped},
    )


def answers_of(run, logits, *, target=None):
    """Answers of a run from the logits (n,K) of images; `target`, a class index, is explained in all of them."""
    calibration = run.decision.calibration
    rule = default_targets(len(run.classes), calibration) if target is None else fixed_target(target)
    targets = rule(logits).numpy()
    scores = calibration.probabilities(logits)[np.arange(len(logits)), targets]
    return Answers(targets, np.asarray(run.decision.labels(logits)), scores)
