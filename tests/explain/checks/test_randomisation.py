"""Random weights: which, when, and that the model has its own again; what passes and what fails."""

import numpy as np
import pytest

from medxray.explain.checks import randomisation
from medxray.explain.checks.verdicts import verdict_line
from medxray.models.registry import ARCHITECTURES

STAGES = ARCHITECTURES["shallow-cnn"].stages


@pytest.fixture
def model(classifier_of):
    return classifier_of("shallow-cnn", size=16, channels=1, classes=2)


def test_stages_are_randomised_from_the_logits_down_and_every_layer_once(model):
    groups = randomisation.depths(model, STAGES)
    assert [name for name, _ in groups] == ["head", *reversed(STAGES)]
    assert [layer.name for layer in groups[0][1]] == ["head_norm", "logits"]
    assert [layer.name for layer in groups[-1][1]] == ["block1_conv", "block1_norm"]
    layers = [layer for _, members in groups for layer in members]
    assert len(layers) == len(set(layers)) == sum(bool(layer.weights) for layer in model.layers)


def test_random_weights_are_those_of_an_untrained_network_and_the_model_gets_its_own_back(model):
    before = model.get_weights()
    with pytest.raises(KeyError), randomisation.weights_kept(model):
        for _, layers in randomisation.depths(model, STAGES):
            randomisation.randomise(layers, np.random.default_rng(0))
        kernel = model.get_layer("block3_conv").kernel.numpy()
        assert kernel.std() == pytest.approx(np.sqrt(2 / (9 * 32)), rel=0.05)
        gamma, beta, mean, variance = model.get_layer("head_norm").get_weights()
        assert (gamma == 1).all() and (variance == 1).all() and not beta.any() and not mean.any()
        raise KeyError("whatever happens")
    for own, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(own, now)


def test_likeness_is_a_median_over_images_where_they_lie():
    """Beside the box the maps differ; in it two of three are equal and one is the reverse."""
    maps = np.random.default_rng(0).random((3, 20, 20))
    other = maps.copy()
    other[0] = 1 - maps[0]
    other[:, :2] = 0
    ranks, similar = randomisation.likeness(maps, other, [(2, 0, 18, 20)] * 3)
    assert ranks == pytest.approx(1) and similar == pytest.approx(1)
    flat = np.zeros_like(maps)
    assert randomisation.likeness(maps, flat, [(0, 0, 20, 20)] * 3) == (0, 0)


def test_different_images_are_compared_where_both_lie():
    wide, high = np.zeros((20, 20)), np.ones((20, 20))
    wide[5:15], high[:, 5:15] = np.arange(20), np.arange(10)
    found = randomisation.likeness_between_images(np.stack([wide, high]), [(5, 0, 10, 20), (0, 5, 20, 10)])
    assert found == pytest.approx(1)


def test_a_method_passes_when_random_weights_give_maps_no_more_alike_than_other_images_are():
    steps = [("head", 0.9, 0.8), ("block1", 0.3, 0.2)]
    passed, failed = randomisation.verdict(steps, 0.3), randomisation.verdict(steps, 0.2)
    assert passed["passed"] and not failed["passed"]
    assert failed["rank_correlation"] == 0.3 and failed["ssim"] == 0.2 and failed["between_images"] == 0.2
    assert failed["depths"][0] == {"randomised": "head", "rank_correlation": 0.9, "ssim": 0.8}


def test_the_verdict_names_what_is_better_and_what_fails():
    def figure(random, centre):
        return {"minus_random": {"ci95": random}, "minus_centre": {"ci95": centre}}

    found = {
        "deletion": figure([-0.2, -0.1], [-0.1, 0.1]),
        "insertion": figure([0.1, 0.2], [-0.2, -0.1]),
        "road": figure([-0.1, 0.1], [-0.1, 0.1]),
        "randomisation": {"passed": False},
        "constant_maps": 3,
        "n": 16,
        "repeatability": {"rank_correlation": 0.91, "n": 8},
    }
    assert verdict_line("rise", found) == (
        "rise: better than random on deletion and insertion; worse than a centre blob on insertion; "
        "FAILS the randomisation check; 3 of 16 maps are the same everywhere; "
        "another seed gives maps with a rank correlation of 0.910"
    )
    found["deletion"]["minus_random"]["ci95"] = None
    assert "too few images to compare with random" in verdict_line("rise", found)
    found |= {"constant_maps": 0, "randomisation": {"passed": True}, "repeatability": "exact"}
    found["insertion"] = figure([-0.1, 0.2], [-0.2, 0.1])
    found["deletion"] = figure([-0.2, -0.1], [-0.2, 0.1])
    assert verdict_line("gradcam", found) == (
        "gradcam: better than random on deletion; not better than a centre blob; passes the randomisation check"
    )
    found |= {"n_localised": 32, "hit_rate": {"value": 0.96875, "ci95": [0.843, 0.994]}}
    assert verdict_line("gradcam", found).endswith(
        "; passes the randomisation check; points at what is known in 0.969 [0.843, 0.994] of 32 images"
    )
    assert "points at" not in verdict_line("gradcam", found | {"n_localised": 0})
