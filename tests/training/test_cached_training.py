"""Whole small trainings with a cache: what a second one computes, and what a part that is not cached changes."""

import dataclasses

import numpy as np
import pytest

from medxray.run_kinds import KINDS
from medxray.training import dataset
from medxray.training.cache_folder import list_entries
from medxray.training.execution import fit


@pytest.fixture
def config(config):
    return dataclasses.replace(config, epochs=2, batch_size=16, name="first")


def fitted(config, **changes):
    return fit(dataclasses.replace(config, **changes), KINDS["classifier"])


def forget_randomness(monkeypatch):
    """Let the random weights of every run be the same, whatever its seed."""
    from medxray.training import classifier

    build = classifier.build_classifier

    def built(*parts, **options):
        import keras

        keras.utils.set_random_seed(3)
        return build(*parts, **options)

    monkeypatch.setattr(classifier, "build_classifier", built)


@pytest.mark.slow
def test_another_seed_and_another_split_compute_only_what_is_new(config, caplog, monkeypatch):
    caplog.set_level("INFO", logger="medxray")
    forget_randomness(monkeypatch)
    first = fitted(config)
    caplog.clear()
    fitted(config, name="same-split", seed=1, split_file=str(first.directory.split_file))
    assert "all activations found" in caplog.text
    caplog.clear()
    other = fitted(config, name="other-split", seed=2)
    learned = [{run.data.fitted.digests[row] for row in run.data.fitted.rows["train"]} for run in (first, other)]
    unchanged = [set(run.data.fitted.digests) for run in (first, other)]  # the sample of train is all of it here
    new = 2 * len(learned[1] - learned[0]) + len(unchanged[1] - unchanged[0])
    assert new > 0 and f"Frozen layers: {new} images and views to compute once" in caplog.text
    caplog.clear()
    fitted(config, name="other-draws", augment_seed=7)
    assert f"Frozen layers: {2 * len(learned[0])} images and views to compute once" in caplog.text


@pytest.mark.slow
def test_a_cut_beyond_the_budget_trains_on_line_and_is_validated_from_the_cache(config, caplog):
    caplog.set_level("INFO", logger="medxray")
    whole = fitted(config)
    budget = sum(part.total for part in whole.features.parts()[:3])  # all but the views at the last block's cut
    partly = fitted(config, name="partly", cache_budget=f"{budget / 1e3}KB", cache_dir=f"{config.cache_dir}-partly")
    cut = whole.trainer._cut
    assert f"Not cached, beyond --cache-budget: {cut} of training views" in caplog.text
    assert len(list_entries(f"{config.cache_dir}-partly")) == 4
    views = [[row["view"] for row in run.history] for run in (whole, partly)]
    assert views == [["", "0", "", "0", "1"], ["", "0", "", "on-line", "on-line"]]
    before = [[row["val_loss"] for row in run.history if row["epoch"] == 0] for run in (whole, partly)]
    assert before[0][0] == pytest.approx(before[1][0], abs=1e-5)  # of the head, from the same activations
    assert before[0][1] == pytest.approx(before[1][1], abs=1e-3)
    np.testing.assert_allclose(whole.validation.logits, partly.validation.logits, atol=0.2)


@pytest.mark.slow
def test_pixels_in_a_file_train_to_the_same_bits(config, monkeypatch, caplog):
    caplog.set_level("INFO", logger="medxray")
    online = dataclasses.replace(config, mode="scratch", head_epochs=None, epochs=1)
    memory = fitted(online)
    monkeypatch.setattr(dataset, "CACHE_LIMIT", 1000)
    disk = fitted(online, name="disk")
    assert "are kept in a temporary file in" in caplog.text
    assert np.array_equal(memory.validation.logits, disk.validation.logits)
    assert [row["loss"] for row in memory.history[1:]] == [row["loss"] for row in disk.history[1:]]


def test_a_run_of_version_0_1_keeps_its_draws(config):
    assert config.resolved().seed_of_images == 0
    assert dataclasses.replace(config, seed=5).resolved().seed_of_images == 0
    assert dataclasses.replace(config, seed=5).seed_of_images == 5  # as its record has it, without `augment_seed`
