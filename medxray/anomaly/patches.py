"""Patch features of many images, batch by batch: what the fits take. No TensorFlow."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from medxray.errors import DataError
from medxray.system import progress


@dataclass(frozen=True)
class Patches:
    """Patch features that do not fit into memory at once.

    Attributes:
        batches: called without arguments, it returns an iterator over float arrays (b,h,w,d), together `images` rows,
            always the same in the same order.
        images: number of images.
        height, width: grid of the patches.
        dimensions: length of a patch's vector.
    """

    batches: Callable
    images: int
    height: int
    width: int
    dimensions: int

    @property
    def positions(self):
        """Patches per image."""
        return self.height * self.width

    def vectors(self):
        """Yield the batches as float32 arrays (b, positions, dimensions).

        Raises:
            DataError: a batch has another shape, or the number of images is not `images`.
        """
        seen = 0
        for batch in progress.counted(self.batches(), self.images, "Patches"):
            if batch.shape[1:] != (self.height, self.width, self.dimensions):
                raise DataError(
                    f"Patch features must have the shape {(self.height, self.width, self.dimensions)}. "
                    f"Received {batch.shape[1:]}. Compute them with one model."
                )
            seen += len(batch)
            yield np.asarray(batch, np.float32).reshape(len(batch), self.positions, self.dimensions)
        if seen != self.images:
            raise DataError(f"Patch features of {self.images} images were announced. Received {seen}.")
