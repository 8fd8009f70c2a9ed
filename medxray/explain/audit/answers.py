"""What a run answers to images of which a region is replaced, or into which a marker is pasted."""

from dataclasses import dataclass

import numpy as np

from medxray.data.image_keys import image_keys
from medxray.data.manifest import content_digest
from medxray.data.shifts.families import SEVERITIES
from medxray.data.shifts.views import Shiftable
from medxray.explain.audit.regions import FILLS, LUNGS, MEAN, OTHER_IMAGE, SHORTCUTS, partners, replaced
from medxray.explain.checks.scores import Scores
from medxray.explain.mapped_sample import image_parts
from medxray.system import progress

MARKER = "marker"  # the family of shifted views
_BATCH = 16


@dataclass(frozen=True, eq=False)
class Answered:
    """What a run answers to changed images.

    Attributes:
        logits: float32 array (v,n,K), of v versions of each image: one for each of its partners, or one; nan where the
            region of an image is not known.
        examples: list of uint8 arrays (H,W,C) of the first images, the first version of each, or None where the region
            is not known.
    """

    logits: np.ndarray
    examples: list

    @property
    def known(self):
        """Bool array (n,): the image was changed."""
        return np.isfinite(self.logits).all(axis=(0, 2))


class ChangedImages:
    """Changes the images of a sample and asks a run about them.

    Args:
        run: trained_run.Run.
        mapped: mapped_sample.MappedSample.
        seed: of the partners, see `regions.partners`, and of the markers.
        examples: how many of the first images are kept for a picture.

    Attributes:
        partners: int64 array (p,n), see `regions.partners`.
    """

    def __init__(self, run, mapped, *, seed, examples=0):
        self._scores, self._mapped, self._seed, self._examples = Scores(run), mapped, seed, examples
        self._parts = image_parts(mapped.sample)
        self.partners = partners(mapped.sample.labels, mapped.sample.patients, seed)

    @property
    def passes(self):
        """Forward passes that all changes take for each image."""
        return len(SHORTCUTS) * (len(self.partners) + 1) + 1 + len(SEVERITIES)

    def answers(self):
        """Ask about all changes.

        Returns:
            dict (name, kind) -> Answered: (name of a region of SHORTCUTS, one of FILLS), ("lungs", "mean") and
            ("marker", severity).
        """
        wanted = [(region, fill) for region in SHORTCUTS for fill in FILLS] + [(LUNGS, MEAN)]
        with progress.track(len(self._mapped) * self.passes, "Changed images") as bar:
            found = {(region.name, fill): self._of_region(region, fill, bar) for region, fill in wanted}
            return found | {(MARKER, severity): self._of_marker(severity, bar) for severity in SEVERITIES}

    def _of_region(self, region, fill, bar):
        sources = self.partners if fill == OTHER_IMAGE else [None]
        logits, examples = zip(*(self._of_sources(region, source, bar) for source in sources), strict=True)
        return Answered(np.stack(logits), examples[0])

    def _of_sources(self, region, sources, bar):
        """(Logits (n,K), examples) where a region gets the pixels of `sources` (n,), or the mean colour: None."""
        logits, examples = np.full(self._mapped.logits.shape, np.nan, np.float32), []
        for start in range(0, len(logits), _BATCH):
            changed = {at: self._changed(at, region, sources) for at in range(start, min(start + _BATCH, len(logits)))}
            known = [at for at, image in changed.items() if image is not None]
            if known:
                logits[known] = self._scores.logits(np.stack([changed[at] for at in known]))
            examples += [_shown(image) for at, image in changed.items() if at < self._examples]
            bar.advance(len(changed), region.name)
        return logits, examples

    def _changed(self, at, region, sources):
        sample, lungs = self._mapped.sample, self._mapped.lungs[at]
        mask = region.mask(lungs, self._parts[at].shape[:2])
        source = None if sources is None else self._parts[sources[at]]
        return None if mask is None else replaced(sample.pixels[at], sample.boxes[at], mask, source)

    def _of_marker(self, severity, bar):
        sample, logits, examples = self._mapped.sample, [], []
        keys, bars = image_keys(map(content_digest, sample.files)), bars_of(sample)
        for start in range(0, len(sample), _BATCH):
            some = slice(start, start + _BATCH)
            batch = Shiftable(sample.pixels[some], keys[some], seed=self._seed, bars=bars[some])
            view = batch.view(MARKER, severity)
            logits.append(self._scores.logits(view))
            examples += [_shown(image) for image in view.numpy()] if start < self._examples else []
            bar.advance(len(view), MARKER)
        return Answered(np.concatenate(logits)[None], examples[: self._examples])


def bars_of(sample):
    """Width of the black bars above, below, left and right of each image of a sample: int array (n,4), pixels."""
    height, width = sample.pixels.shape[1:3]
    edges = [(top, height - top - high, left, width - left - wide) for top, left, high, wide in sample.boxes]
    return np.array(edges, np.int64)


def _shown(image):
    return None if image is None else np.rint(np.clip(image, 0, 255)).astype(np.uint8)
