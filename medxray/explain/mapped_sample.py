"""Images of a sample with what a model says about them, one heatmap of each, and where their lungs lie."""

import logging
from collections import Counter
from dataclasses import dataclass

import numpy as np

from medxray.data.lungs.field import lung_field
from medxray.explain.checks.maps import MapFunction
from medxray.explain.checks.perturbations import part_of
from medxray.explain.checks.sample import Answers, CheckedImages, answers_of
from medxray.explain.checks.scores import Scores
from medxray.explain.checks.settings import setting_of
from medxray.explain.explainer import ExplainRequest
from medxray.metrics.localisation import dilated
from medxray.system import progress

log = logging.getLogger(__name__)
MARGIN = 0.03  # around the lung field, share of height and width: cells of a heatmap are not finer
_SHOWN = 10


@dataclass(frozen=True, eq=False)
class MappedSample:
    """Images of a sample, n of them, and what is known of each.

    Attributes:
        sample: checks.sample.CheckedImages.
        logits: float32 array (n,K).
        answers: checks.sample.Answers; `targets` is the class that the heatmap explains.
        heats: list of float32 arrays (h,w), 0-1: heatmaps of the images without bars; 0 where a map is the same
            everywhere.
        lungs: list of bool arrays (h,w), the lung field with `MARGIN` around it, or None where it was not found.
        reasons: list of why the lungs were not found; "" where they were.
    """

    sample: CheckedImages
    logits: np.ndarray
    answers: Answers
    heats: list
    lungs: list
    reasons: list

    def __len__(self):
        return len(self.sample)

    @property
    def has_heat(self):
        """Bool array (n,): the map is not the same everywhere."""
        return np.array([np.ptp(heat) > 0 for heat in self.heats], bool)

    def lung_facts(self):
        """How many lung fields were found, and which were not, dict of JSON values."""
        missed = [(file, why) for file, why in zip(self.sample.files, self.reasons, strict=True) if why]
        return {
            "found": len(self) - len(missed),
            "failed": dict(Counter(why for _, why in missed)),
            "failed_images": [str(file) for file, _ in missed],
        }


def map_sample(run, sample, method, *, target=None):
    """Predict the images of a sample, explain them and find their lungs.

    Args:
        run: trained_run.Run.
        sample: checks.sample.CheckedImages.
        method: name of a row of `methods.METHODS`; costly ones have the options of `checks.settings`.
        target: name of the class to explain; None: that of `maps.default_targets`.

    Returns:
        MappedSample. What is left out or lowered is told in the log.

    Raises:
        ConfigError: the model cannot be explained by the method, or has no such class.
    """
    setting = setting_of(method)
    explain = MapFunction(run, method, setting.options(run.input_size))
    fixed = None if target is None else ExplainRequest(target=target).target_in(run.classes)
    passes = setting.passes(explain.options, run.input_size)
    if setting.reason:
        log.info("%s: %s.", method, setting.reason)
    log.info("%s of %d images: %d forward passes.", method, len(sample), len(sample) * (1 + passes))
    scores = Scores(run)
    batches = progress.counted(sample.batches(), len(sample), "Predictions")
    logits = np.concatenate([scores.logits(batch) for batch in batches])
    answers = answers_of(run, logits, target=fixed)
    with progress.track(len(sample), "Heatmaps") as bar:
        maps = explain(sample.pixels, answers.targets, bar.advance)
    heats = [part_of(heat, box) for heat, box in zip(maps, sample.boxes, strict=True)]
    return MappedSample(sample, logits, answers, heats, *_lungs(sample))


def image_parts(sample):
    """The images of a sample without their bars: list of uint8 views (h,w,C)."""
    return [part_of(pixels, box) for pixels, box in zip(sample.pixels, sample.boxes, strict=True)]


def _lungs(sample):
    """(lung fields with a margin or None, why they were not found) of the images of a sample."""
    found, reasons = [], []
    with progress.track(len(sample), "Lung fields") as bar:
        for image in image_parts(sample):
            field = lung_field(image)
            margin = [round(MARGIN * side) for side in image.shape[:2]]
            found.append(None if field.mask is None else dilated(field.mask, margin))
            reasons.append(field.reason)
            bar.advance(1)
    _tell_failures(sample.files, reasons)
    return found, reasons


def _tell_failures(files, reasons):
    missed = [(file, why) for file, why in zip(files, reasons, strict=True) if why]
    for file, why in missed[:_SHOWN]:
        log.info("No lungs found: %s: %s", file.name, why)
    if missed:
        log.warning("The lungs of %d of %d images were not found.", len(missed), len(files))
