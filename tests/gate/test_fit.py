"""How far is too far: scales from validation values."""

import numpy as np
import pytest

from medxray.gate.fit import choose_scales, fit_gate


def refused(values, scales):
    return int((values > scales).any(axis=1).sum())


def unwidened(values):
    """The scales without what they are widened by."""
    return choose_scales(values) / (1 + 0.25 * min(1, 50 / len(values)))


def test_each_part_refuses_equally_many_and_all_together_at_most_one_per_cent():
    values = np.random.default_rng(0).exponential(size=(1000, 5)).astype(np.float32) + 2
    scales = unwidened(values) * 1.00001
    alone = (values > scales).sum(axis=0)
    assert len(set(alone.tolist())) == 1 and 2 <= alone[0] <= 4
    assert alone.max() <= refused(values, scales) <= 10
    stricter = np.sort(values, axis=0)[-1 - alone[0] - 1]
    assert refused(values, stricter) > 10


def test_parts_that_refuse_the_same_images_share_the_whole_per_cent():
    one = np.linspace(2, 3, 200, dtype=np.float32)
    values = np.repeat(one[:, None], 5, axis=1)
    np.testing.assert_allclose(unwidened(values), np.sort(one)[-3], rtol=1e-6)


@pytest.mark.parametrize(("count", "factor"), [(10, 1.25), (50, 1.25), (99, 1.126263)])
def test_below_a_hundred_views_none_is_refused_and_fewer_widen_the_scales_more(count, factor):
    values = np.random.default_rng(1).uniform(2, 3, (count, 5)).astype(np.float32)
    np.testing.assert_allclose(choose_scales(values), factor * values.max(axis=0), rtol=1e-5)


def test_ties_are_accepted():
    values = np.full((300, 5), 2.0, np.float32)
    values[:40] = 2.5
    np.testing.assert_allclose(unwidened(values), 2.5, rtol=1e-6)


def test_an_image_that_fits_better_as_it_is_is_never_refused_for_its_orientation():
    values = np.random.default_rng(2).uniform(0.3, 0.6, (400, 5)).astype(np.float32)
    scales = choose_scales(values)
    assert scales[4] == 1
    assert scales[0] < 0.65


def test_scales_are_positive_even_for_equal_images():
    assert (choose_scales(np.zeros((60, 5), np.float32)) > 0).all()


def test_a_fitted_gate_accepts_nearly_all_of_its_validation_images(gate):
    assert gate.validation == 200
    assert 0.99 <= gate.accepted <= 1
    assert gate.scales.shape == (5,)


def test_two_training_images_are_enough(chests, views_of):
    few = views_of(chests(2, 3))
    fitted = fit_gate(few, few)
    assert fitted.accepted == 1 and np.isfinite(fitted.layout.whitening).all()
