"""Images with their heatmaps and lungs."""

import dataclasses

import numpy as np
import pytest

from medxray.data.lungs.field import NO_REGIONS, lung_field
from medxray.explain.checks.sample import read_sample
from medxray.explain.mapped_sample import image_parts, map_sample
from medxray.metrics.localisation import dilated
from medxray.runs.images import own_manifest
from tests.fixtures.small_runs import write_phantom_run


@pytest.fixture(scope="module")
def run_and_sample(phantoms, tmp_path_factory):
    from medxray.api import load_run

    folder = tmp_path_factory.mktemp("mapped") / "run"
    run = load_run(write_phantom_run(folder, phantoms / "chest_xray" / "train", size=64).path)
    return run, read_sample(run, own_manifest(run, "test"), images=10, seed=0)


def test_heat_and_lungs_are_those_of_the_image_without_its_bars(run_and_sample):
    run, sample = run_and_sample
    mapped = map_sample(run, sample, "gradcam")
    heatmaps, _ = run.explain([str(file) for file in sample.files])
    for heat, heatmap, lungs, image in zip(mapped.heats, heatmaps, mapped.lungs, image_parts(sample), strict=True):
        top, left, height, width = heatmap.box
        assert np.allclose(heat, heatmap.heatmap[top : top + height, left : left + width], atol=1e-4)
        found = lung_field(image).mask
        assert (found is None) == (lungs is None)
        assert found is None or np.array_equal(lungs, dilated(found, [round(0.03 * side) for side in image.shape[:2]]))
    facts = mapped.lung_facts()
    assert facts["found"] == sum(lungs is not None for lungs in mapped.lungs) > 4
    assert len(facts["failed_images"]) == 10 - facts["found"] == sum(facts["failed"].values())


def test_another_class_can_be_explained(run_and_sample):
    run, sample = run_and_sample
    usual, other = (map_sample(run, sample, "gradcam", target=target) for target in (None, "normal"))
    assert set(usual.answers.targets) == {1} and set(other.answers.targets) == {0}
    assert not np.allclose(usual.heats[0], other.heats[0])
    assert np.allclose(usual.answers.scores + other.answers.scores, 1)


def test_images_without_lungs_are_told_of(run_and_sample, caplog):
    run, sample = run_and_sample
    sample = dataclasses.replace(sample, pixels=np.full_like(sample.pixels, 9))
    with caplog.at_level("INFO", logger="medxray"):
        mapped = map_sample(run, sample, "gradcam")
    assert mapped.lungs[0] is None and mapped.reasons[0] == NO_REGIONS
    assert f"No lungs found: {sample.files[0].name}: {NO_REGIONS}" in caplog.text
    assert "The lungs of 10 of 10 images were not found." in caplog.text and not mapped.has_heat.all()
