"""Which precision a part gets, what is put on record, and that weights and figures stay float32."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from medxray import TrainConfig
from medxray.errors import ConfigError
from medxray.models.classifier import build_classifier, suffix
from medxray.models.inference import logits_model
from medxray.models.precision import computed_in, to_float32
from medxray.run_kinds import KINDS
from medxray.training import classifier, execution, precision
from medxray.training.cache_folder import list_entries
from medxray.training.config import config_from_dict
from medxray.training.precision import Precisions, measured, step_trial


@pytest.fixture
def model():
    """Untrained; with few units of another seed all of them can be 0 for every image."""
    keras.utils.set_random_seed(0)
    return build_classifier("shallow-cnn", image_size=32, channels=1, classes=2, units=64)


def test_a_block_lowers_the_layers_between_preprocessing_and_head_and_restores_them(model):
    with computed_in(model, "bfloat16"):
        lowered = [layer.name for layer in model.layers if layer.compute_dtype == "bfloat16"]
        assert lowered[0] == "block1_conv" and lowered[-1] == "block3_relu" and len(lowered) == 11
        assert {weight.dtype for weight in model.weights} == {"float32"}
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    with computed_in(model, "float32"):
        assert model.get_layer("block1_conv").compute_dtype == "float32"


def test_outputs_in_bfloat16_are_close_and_not_equal(model):
    images = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 1)).astype(np.float32)
    whole = suffix(model, None)
    expected = whole(images).numpy()
    with computed_in(model, "bfloat16"):
        found = whole(images).numpy()
    assert found.dtype == np.float32 and 0 < np.abs(found - expected).max() < 0.1
    np.testing.assert_allclose(whole(images), expected, atol=1e-5)


def test_a_model_saved_in_mixed_precision_comes_back_to_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = build_classifier("shallow-cnn", image_size=32, channels=1, classes=2, units=4)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {layer.compute_dtype for layer in to_float32(mixed).layers} == {"float32"}


@pytest.mark.parametrize(
    ("seconds", "shift", "passes", "chosen", "reason"),
    [
        ((1.0, 0.7), 0, 100, "bfloat16", "bfloat16 is 1.43 times as fast, correlation 1.00000"),
        ((1.0, 0.8), 0, 100, "float32", "bfloat16 is 1.25 times as fast, correlation 1.00000"),
        ((1.0, 0.1), 0.05, 100, "float32", "bfloat16 is 10.00 times as fast, correlation 0.99"),
        ((1.0, 0.1), np.nan, 100, "float32", "correlation 0.00000"),
        ((1.0, 0.1), 0, 29, "float32", "takes less than 30 s"),
        ((1.0, 0.1), 0, 0, "float32", "nothing is to be computed"),
    ],
)
def test_auto_takes_bfloat16_where_it_is_clearly_faster_and_agrees(monkeypatch, seconds, shift, passes, chosen, reason):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(precision.time, "perf_counter", lambda: clock.now)
    values = np.random.default_rng(0).normal(size=(2, 50))

    def trial(name):
        def compute():
            clock.now += seconds[name != "float32"]

        noise = np.random.default_rng(1).normal(size=50) * shift if name != "float32" else 0
        return compute, lambda: [values[0], values[1] + noise]  # the lowest correlation of all outputs counts

    found = measured(trial, passes=passes)
    assert found["precision"] == chosen and reason in found["reason"]
    if passes > 30:
        assert found["seconds"] == pytest.approx({"float32": seconds[0], "bfloat16": seconds[1]})


def test_a_trial_of_the_training_step_changes_nothing_and_computes_in_the_precision(model):
    whole = suffix(model, None)
    images = tf.random.stateless_uniform((4, 32, 32, 1), (1, 2), 0, 255)
    before = [variable.numpy() for variable in whole.variables]
    outputs = {}
    for name in ("float32", "bfloat16"):
        compute, outputs_of = step_trial(whole, model, images)(name)
        compute()
        (outputs[name],) = outputs_of()
    for value, variable in zip(before, whole.variables, strict=True):
        np.testing.assert_array_equal(value, variable)
    assert 0 < np.abs(outputs["float32"] - outputs["bfloat16"]).max() < 0.1
    np.testing.assert_allclose(outputs["float32"], whole(images, training=False), atol=1e-5)


class Record(dict):
    """A RunDir whose record is a dict."""

    def read_record(self):
        return self

    def update_record(self, **values):
        self.update(values)


def test_what_was_chosen_is_kept(monkeypatch):
    run = Record()
    monkeypatch.setattr(precision, "measured", lambda trial, passes: {"precision": "bfloat16", "reason": "measured"})
    assert Precisions(run, "auto").choose("step", None, passes=1) == "bfloat16"
    monkeypatch.undo()
    resumed = Precisions(run, "auto")
    assert resumed.choose("step", None, passes=1) == "bfloat16" and resumed.lowered == ["bfloat16"]
    assert resumed.of("prefix") == "float32"
    assert Precisions(Record(), "float16").choose("prefix", None, passes=9) == "float16"


def test_options_say_what_is_asked_for_and_the_old_one_still_works(medxray):
    asked = [
        ({}, "auto"),
        ({"deterministic": True}, "float32"),
        ({"deterministic": True, "precision": "bfloat16"}, "bfloat16"),
        ({"mixed-precision": True}, "auto"),
        ({"mixed-precision": True, "deterministic": True}, "auto"),
    ]
    for values, expected in asked:
        assert config_from_dict(values).resolved().precision == expected, values
    with pytest.raises(ConfigError, match="--precision must be one of auto, float32, bfloat16, float16"):
        TrainConfig(precision="float64")
    status, out, _ = medxray("train", "--help")
    assert status == 0 and "--precision" in out and "--mixed-precision" not in out


def fitted(config, **changes):
    return execution.fit(dataclasses.replace(config, **changes), KINDS["classifier"])


def test_float16_is_refused_on_a_processor_in_one_line(config):
    with pytest.raises(ConfigError, match="^--precision float16 needs a GPU. Take bfloat16, float32 or auto.$"):
        fitted(config, precision="float16")


@pytest.mark.slow
def test_a_run_in_bfloat16_keeps_its_own_views_and_saves_float32(config, caplog, bare):
    caplog.set_level("INFO", logger="medxray")
    run = fitted(config, precision="bfloat16")
    labels = [entry["label"] for entry in list_entries(config.cache_dir)]
    assert sorted("bfloat16" in label for label in labels) == [False] * 2 + [True] * 2
    assert not [label for label in labels if "unchanged" in label and "bfloat16" in label]
    record = run.directory.read_record()["precision"]
    assert record["asked"] == "bfloat16" and record["prefix"] == record["step"]
    assert record["step"] == {"precision": "bfloat16", "reason": "named"}
    execution.finish(run)
    record = run.directory.read_record()["precision"]
    assert 0 < record["gap"]["probability"] < 0.05 and record["gap"]["images"] == len(run.data.fitted.rows["val"])
    assert "what is saved and predicted is float32" in caplog.text
    assert {layer.compute_dtype for layer in run.model.layers} == {"float32"}
    caplog.clear()
    fitted(config, precision="float32", name="other")
    views = len(run.data.fitted.rows["train"])  # unchanged images are in the cache already
    assert f"Frozen layers: {views} images and views to compute once" in caplog.text


@pytest.mark.parametrize("asked", [pytest.param("float32", marks=pytest.mark.slow), "bfloat16"])
def test_shifted_validation_views_are_computed_as_in_training(config, monkeypatch, asked, bare):
    found, draws = {}, classifier.logits_of_draws

    def recorded(forward, pictures, *, batch):
        images = next(pictures.batches(8).as_numpy_iterator()).astype(np.float32)
        found["training"] = forward(images)
        return draws(forward, pictures, batch=batch)

    monkeypatch.setattr(classifier, "logits_of_draws", recorded)
    run = fitted(config, precision=asked, decide_on="shifted")
    execution.finish(run)
    images = next(run.data.pictures("val").batches(8).as_numpy_iterator()).astype(np.float32)
    expected = logits_model(run.model)(images).numpy()
    gap = np.abs(found["training"] - expected).max()
    assert gap < 1e-5 if asked == "float32" else 1e-5 < gap < 0.1


@pytest.mark.slow
def test_small_work_is_done_in_float32_without_a_comparison(config):
    record = fitted(config, mode="scratch", head_epochs=None).directory.read_record()["precision"]
    assert record["step"]["precision"] == "float32" and record["step"]["reason"] == "takes less than 30 s"
    assert "gap" not in record and "prefix" not in record
