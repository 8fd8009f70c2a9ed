"""The running confusion matrix."""

import numpy as np

from medxray.film.tally import tallies


def test_the_matrix_grows_by_one_cell_an_image():
    truths, predicted = np.array([0, 1, 2, 2]), np.array([0, 2, 2, 0])
    found = list(tallies(truths, predicted, 3))
    assert [one.cell for one in found] == [(0, 0), (1, 2), (2, 2), (2, 0)]
    assert [(one.right, one.seen) for one in found] == [(1, 1), (1, 2), (2, 3), (2, 4)]
    assert found[-1].matrix.tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 1]]
    assert found[0].matrix.sum() == 1  # not changed by what came after


def test_without_true_classes_there_is_none():
    assert list(tallies(None, np.array([0, 1]), 2)) == [None, None]
