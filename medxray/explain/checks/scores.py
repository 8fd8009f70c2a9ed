"""Calibrated probabilities of the explained class for many changed images, batch by batch."""

import numpy as np

from medxray.explain.checks.perturbations import VERSIONS, versions
from medxray.models.inference import compiled, logits_model

_BATCH = 32


class Scores:
    """Computes what a run says about changed images; normalisations are folded.

    Args:
        run: trained_run.Run.
    """

    def __init__(self, run):
        self._forward, self._calibration = compiled(logits_model(run.model)), run.decision.calibration

    def logits(self, images):
        """Logits of float32 images (b,H,W,C): float32 array (b,K)."""
        return self._forward(images)[0].numpy()

    def of(self, images, targets):
        """Calibrated probability of a class in each image: float64 array (b,)."""
        return self._calibration.probabilities(self.logits(images))[np.arange(len(images)), targets]

    def of_versions(self, sample, targets, orders, *, seed, advance):
        """The scores of all versions of images that maps order.

        Args:
            sample: sample.CheckedImages, or its first images.
            targets: int array (n,), the explained class of each.
            orders: list of n arrays, see `perturbations.versions`.
            seed: of the noise of imputed pixels: the same for all maps of an image.
            advance: function, called with the number of passes done.

        Returns:
            float64 array (n,VERSIONS).
        """
        found, waiting, wanted = [], [], []
        for at, order in enumerate(orders):
            random = np.random.default_rng([seed, at])
            waiting.append(versions(sample.pixels[at].astype(np.float32), sample.boxes[at], order, random))
            wanted += [targets[at]] * VERSIONS
            if len(wanted) + VERSIONS > _BATCH or at + 1 == len(orders):
                found.append(self.of(np.concatenate(waiting), wanted))
                advance(len(wanted))
                waiting, wanted = [], []
        return np.concatenate(found).reshape(len(orders), VERSIONS)
