"""Some rows of an array, in any order, read when they are asked for."""

import numpy as np


class Rows:
    """Rows of an array that is usually memory-mapped, chosen by their places in it.

    Args:
        array: array (m, ...).
        places: int array (n,), where each row is in it.

    Attributes:
        shape: of all rows together, (n, ...).
        dtype: of the array.
    """

    def __init__(self, array, places):
        self._array, self._places = np.asarray(array), np.asarray(places, np.int64)
        self.shape, self.dtype = (len(self._places), *self._array.shape[1:]), self._array.dtype

    def __len__(self):
        return len(self._places)

    def __getitem__(self, rows):
        """The array of the rows that an int, a slice or int array names; only they are read."""
        return self._array[self._places[rows]]

    def keep(self, rows):
        """The Rows of some of them, int array."""
        return Rows(self._array, self._places[rows])
