"""The confusion matrix so far. No TensorFlow."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Tally:
    """What was right and wrong up to one image of a film, this image included.

    Attributes:
        matrix: int64 array (K,K), true classes in rows, predicted ones in columns.
        cell: (row, column) of this image.
    """

    matrix: np.ndarray
    cell: tuple

    @property
    def right(self):
        """Images whose predicted class is the true one."""
        return int(np.trace(self.matrix))

    @property
    def seen(self):
        """Images up to now."""
        return int(self.matrix.sum())


def tallies(truths, predicted, classes):
    """Yield the Tally after each image.

    Args:
        truths: int array (n,), class index; None: of each image None is yielded.
        predicted: int array (n,), class index.
        classes: how many there are.
    """
    if truths is None:
        yield from [None] * len(predicted)
        return
    matrix = np.zeros((classes, classes), np.int64)
    for cell in zip(truths.tolist(), predicted.tolist(), strict=True):
        matrix[cell] += 1
        yield Tally(matrix.copy(), cell)
