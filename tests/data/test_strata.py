import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medxray.data.strata import pooled_strata, proportional_quotas


def test_quotas_by_hand():
    assert proportional_quotas(np.array([60, 30, 10]), 20).tolist() == [12, 6, 2]
    assert proportional_quotas(np.array([97, 2, 1]), 10).tolist() == [10, 0, 0]
    assert proportional_quotas(np.array([97, 2, 1]), 10, least=1).tolist() == [8, 1, 1]
    assert proportional_quotas(np.array([9, 1, 1, 1]), 2, least=1).sum() == 2


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=9), st.data(), st.integers(0, 1))
def test_quotas_add_up_and_are_within_one_of_the_exact_share(counts, data, least):
    counts = np.array(counts)
    total = data.draw(st.integers(1, int(counts.sum())))
    quotas = proportional_quotas(counts, total, least=least)
    assert quotas.sum() == total and (quotas <= counts).all() and (quotas >= 0).all()
    if least * len(counts) <= total:
        assert (quotas >= least).all()
    if not least:
        assert (np.abs(quotas - counts * total / counts.sum()) < 1).all()


def test_small_strata_of_a_group_go_together_unless_there_is_only_one():
    sizes = {"a/1": 50, "a/2": 3, "a/3": 2, "b/1": 4}
    groups = {name: name[0] for name in sizes}
    assert pooled_strata(sizes, groups, 10) == {"a/2": "a/", "a/3": "a/"}
    assert pooled_strata(sizes, groups, 1) == {}


@pytest.mark.parametrize("total", [1, 2])
def test_the_largest_strata_are_served_where_there_are_too_many(total):
    assert proportional_quotas(np.array([5, 9, 1]), total, least=1).tolist()[1] == 1
