"""Measures maps of a sample: what covering their pixels does to the score, how concentrated and how right they are."""

import time

import numpy as np

from medxray.explain.checks.figures import ENERGY, HIT_RATE, IOU, Measured
from medxray.explain.checks.perturbations import areas, blurred, curves, filled, part_of
from medxray.explain.checks.reference_maps import CENTRE, RANDOM, centre_blob, random_cells
from medxray.explain.checks.sample import answers_of
from medxray.explain.checks.scores import Scores
from medxray.explain.layers import require_heat_layer
from medxray.explain.maps import upsample
from medxray.metrics.faithfulness import brightest_first
from medxray.metrics.localisation import dilated, energy_inside, hits, overlap
from medxray.metrics.map_concentration import border_share, gini
from medxray.system import progress


class Bench:
    """Images, what a run says about them, and what is known of them.

    Args:
        run: trained_run.Run.
        sample: sample.CheckedImages.
        regions: regions.Regions, or None.
        seed: of random maps, of the order of equal pixels and of noise.

    Attributes:
        answers: sample.Answers.
        covered, soft: float64 arrays (n,), scores of the `filled` and the `blurred` images.
        seconds_per_pass: what a forward pass of one image takes here.
        localised: bool array (n,), images in which a place is known that the model rightly found something in.
    """

    def __init__(self, run, sample, regions, *, seed):
        self._run, self.sample, self._regions, self._seed = run, sample, regions, seed
        self._scores = Scores(run)
        self._cells = max(require_heat_layer(run.model, layer) for layer in run.heat_layers)
        self.answers = answers_of(run, np.concatenate([self._scores.logits(batch) for batch in self._batches()]))
        cells = random_cells(len(sample), self._cells, np.random.default_rng([seed, 0]))
        self._random_maps = upsample(cells, run.input_size).numpy()
        begin = time.perf_counter()
        self.covered, self.soft = self._changed(filled), self._changed(blurred)
        self.seconds_per_pass = (time.perf_counter() - begin) / (2 * len(sample))
        self.localised = self._localised()

    def _batches(self):
        return progress.counted(self.sample.batches(), len(self.sample), "Predictions")

    def _changed(self, change):
        found, start = [], 0
        for batch in self._batches():
            boxes = self.sample.boxes[start : start + len(batch)]
            images = np.stack([change(*pair) for pair in zip(batch, boxes, strict=True)])
            found.append(self._scores.of(images, self.answers.targets[start : start + len(batch)]))
            start += len(batch)
        return np.concatenate(found)

    def _localised(self):
        """True positives with a region: it lies in the image and the explained class is both true and predicted."""
        of_image = [None] * len(self.sample) if self._regions is None else self._regions.of_image
        known = np.array([region is not None and region.any() for region in of_image], bool)
        targets = self.answers.targets
        return known & (self.sample.labels == targets) & (self.answers.predicted == targets)

    def reference_maps(self):
        """Dict name -> float32 maps (n,H,W) that know nothing of the model, see `reference_maps`."""
        return {
            RANDOM: self._random_maps,
            CENTRE: np.stack([centre_blob(self._run.input_size, box) for box in self.sample.boxes]),
        }

    def measure(self, maps, advance):
        """Measure the maps of the first images.

        Pixels of equal heat stand in the order of the image's random map: noise of single pixels would change an image
        less than any map does, and a map without heat would seem better than a random one.

        Args:
            maps: float32 array (m,H,W), 0-1, m at most the size of the sample.
            advance: function, called with the number of passes done.

        Returns:
            figures.Measured.
        """
        heats = [part_of(heat, box) for heat, box in zip(maps, self.sample.boxes, strict=False)]
        count, targets = len(maps), self.answers.targets
        orders = [self._order(at, heat) for at, heat in enumerate(heats)]
        scores = self._scores.of_versions(self.sample, targets, orders, seed=self._seed, advance=advance)
        starts = (self.answers.scores[:count], self.covered[:count], self.soft[:count])
        found = curves(scores, *starts)
        per_image = areas(found)
        per_image["gini"] = np.array([gini(heat) for heat in heats])
        per_image["border_share"] = np.array([border_share(heat) for heat in heats])
        if self._regions is not None:
            per_image |= self._localisation(heats, orders)
        return Measured(found, per_image, np.array([np.ptp(heat) == 0 for heat in heats]))

    def _order(self, at, heat):
        ties = part_of(self._random_maps[at], self.sample.boxes[at])
        return brightest_first(heat, np.random.default_rng([self._seed, 1, at]), ties=ties)

    def _localisation(self, heats, orders):
        found = np.full((3, len(heats)), np.nan)
        margin = [round(side / cells / 2) for side, cells in zip(self._run.input_size, self._cells, strict=True)]
        for at in np.flatnonzero(self.localised[: len(heats)]):
            region, heat = self._regions.of_image[at], heats[at]
            right = hits(orders[at], dilated(region, margin)), overlap(orders[at], region)
            found[:2, at] = right if np.ptp(heat) > 0 else 0
            found[2, at] = energy_inside(heat, region)
        return dict(zip((HIT_RATE, IOU, ENERGY), found, strict=True))
