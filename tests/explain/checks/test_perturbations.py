"""Images with pixels covered, uncovered or imputed, and the maps that know nothing of the model."""

import numpy as np
import pytest
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

from medxray.explain.checks import perturbations
from medxray.explain.checks.imputation import NOISE, impute
from medxray.explain.checks.perturbations import DELETION, FRACTIONS, INSERTION, ROAD, VERSIONS
from medxray.explain.checks.reference_maps import centre_blob, random_cells

BOX = (2, 0, 10, 20)  # of 200 pixels between bars


@pytest.fixture
def pixels():
    image = np.zeros((14, 20, 1), np.float32)
    image[2:12] = np.random.default_rng(0).uniform(0, 255, (10, 20, 1))
    return image


def versions_of(pixels):
    found = perturbations.versions(pixels, BOX, np.arange(200), np.random.default_rng(0))
    names = [(figure, share) for figure, shares in FRACTIONS.items() for share in shares]
    return dict(zip(names, found, strict=True))


def test_as_many_of_the_brightest_pixels_are_covered_as_the_fraction_says_and_the_bars_stay(pixels):
    """The order goes row by row: at .05 the first ten pixels of the first row."""
    found = versions_of(pixels)
    assert len(found) == VERSIONS
    changed = found[DELETION, 0.05]
    np.testing.assert_allclose(changed[2, :10], pixels[2:12].mean(), rtol=1e-5)
    np.testing.assert_array_equal(changed[2, 10:], pixels[2, 10:])
    np.testing.assert_array_equal(changed[3:], pixels[3:])
    for (figure, share), image in found.items():
        assert not image[:2].any() and not image[12:].any()
        same = (image[2:12] == pixels[2:12]).sum()
        assert same == (200 * share if figure == INSERTION else 200 - 200 * share), (figure, share)


def test_insertion_begins_with_the_image_out_of_focus(pixels):
    soft = perturbations.blurred(pixels, BOX)
    np.testing.assert_array_equal(versions_of(pixels)[INSERTION, 0.05][3:], soft[3:])
    assert soft[2:12].std() < 0.7 * pixels[2:12].std() and not soft[:2].any()
    np.testing.assert_allclose(perturbations.filled(pixels, BOX)[2:12], pixels[2:12].mean(), rtol=1e-5)


def test_curves_end_where_everything_is_covered_or_uncovered():
    scores = np.arange(VERSIONS) / 100
    found = perturbations.curves(scores[None], [0.9], [0.1], [0.2])
    fractions, values = found[DELETION]
    assert fractions.tolist() == [0, *FRACTIONS[DELETION], 1]
    assert values.tolist() == [[0.9, 0, 0.01, 0.02, 0.03, 0.04, 0.1]]
    assert found[INSERTION][1].tolist() == [[0.2, 0.05, 0.06, 0.07, 0.08, 0.09, 0.9]]
    assert found[ROAD][0].tolist() == [0, *FRACTIONS[ROAD]]
    assert found[ROAD][1].tolist() == [[0.9, 0.1, 0.11, 0.12]]
    flat = perturbations.curves(np.full((1, VERSIONS), 0.4), [0.4], [0.4], [0.4])
    assert {name: area.tolist() for name, area in perturbations.areas(flat).items()} == {
        name: [pytest.approx(0.4)] for name in FRACTIONS
    }


def solved_directly(plane, removed):
    """The linear system of Rong et al. (2022), written down pixel by pixel."""
    number = np.cumsum(removed).reshape(removed.shape) - 1
    matrix, right = lil_matrix((removed.sum(),) * 2), np.zeros(removed.sum())
    for row, column in np.argwhere(removed):
        own = number[row, column]
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                near = (row + down, column + across)
                inside = all(0 <= place < side for place, side in zip(near, plane.shape, strict=True))
                weight = {0: 0, 1: 1 / 6, 2: 1 / 12}[abs(down) + abs(across)] * inside
                if weight:
                    matrix[own, own] += weight
                    if removed[near]:
                        matrix[own, number[near]] -= weight
                    else:
                        right[own] += weight * plane[near]
    filled = plane.copy()
    filled[removed] = spsolve(matrix.tocsr(), right)
    return filled


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_imputed_pixels_solve_the_equations_up_to_noise(share, monkeypatch):
    monkeypatch.setattr("medxray.explain.checks.imputation.NOISE", 0)
    random = np.random.default_rng(3)
    image = random.uniform(0, 255, (17, 22, 1)).astype(np.float32)
    removed = np.zeros(image.shape[:2], bool)
    removed.ravel()[: int(share * removed.size)] = True  # one large hole
    found = impute(image, removed, random)[..., 0]
    np.testing.assert_allclose(found, solved_directly(image[..., 0], removed), atol=0.5)
    np.testing.assert_array_equal(found[~removed], image[..., 0][~removed])


def test_a_single_pixel_is_the_weighted_mean_of_its_neighbours_and_noise_has_its_size():
    image = np.zeros((3, 3, 2), np.float32)
    image[0, 1], image[0, 0] = 120, 60  # a direct neighbour and a diagonal one: 120 / 6 + 60 / 12
    hole = np.zeros((3, 3), bool)
    hole[1, 1] = True

    class Still:
        def normal(self, mean, deviation, shape):
            return np.zeros(shape)

    np.testing.assert_allclose(impute(image, hole, Still())[1, 1], [25, 25], atol=0.05)
    grey, most = np.full((64, 64, 1), 128, np.float32), np.ones((64, 64), bool)
    most[0] = False
    assert impute(grey, most, np.random.default_rng(0))[1:].std() == pytest.approx(NOISE, rel=0.05)


def test_the_blob_is_brightest_at_the_centre_of_the_image_and_random_cells_follow_the_seed():
    blob = centre_blob((14, 20), BOX)
    assert blob.shape == (14, 20)
    assert set(map(tuple, np.argwhere(blob == blob.max()))) == {(6, 9), (6, 10), (7, 9), (7, 10)}
    # a quarter of the side from the centre is one standard deviation
    np.testing.assert_allclose(blob[6, 15] / blob[6, 10], np.exp(-0.5 * (1.1**2 - 0.1**2)), rtol=1e-5)
    draws = [random_cells(2, (3, 4), np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert (draws[0] == draws[1]).all() and not (draws[0] == draws[2]).any() and draws[0].shape == (2, 3, 4)
