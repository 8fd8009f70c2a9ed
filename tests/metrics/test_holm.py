"""Holm's correction, by hand."""

import pytest

from medxray.metrics.holm import holm


def test_values_are_multiplied_by_how_many_are_left_and_never_fall():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_none_does_not_count_and_nothing_exceeds_one():
    assert holm([0.6, None, 0.7]) == [1.0, None, 1.0]
    assert holm([None]) == [None] and holm([]) == []
