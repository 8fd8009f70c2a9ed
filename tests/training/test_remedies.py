"""What errors of a training tell the user to do: options that the command has."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from medxray import AnomalyConfig, TrainConfig, train
from medxray.anomaly.experiment import DetectorTrainer
from medxray.errors import TrainingError
from medxray.models.classifier import build_classifier
from medxray.training.classifier import ClassifierTrainer
from medxray.training.execution import _memory_options
from medxray.training.loop import _remedy
from medxray.training.modes import plan_stages


@pytest.mark.parametrize(
    ("kind", "given", "options"),
    [
        (TrainConfig, {}, "--batch-size or --image-size"),
        (AnomalyConfig, {"method": "autoencoder"}, "--batch-size or --image-size"),
        (AnomalyConfig, {"method": "padim"}, "--dimensions or --image-size"),
        (AnomalyConfig, {"method": "patchcore"}, "--coreset or --image-size"),
    ],
)
@pytest.mark.parametrize("error", [MemoryError(), tf.errors.ResourceExhaustedError(None, None, "OOM")], ids=type)
def test_memory_that_runs_out_names_options_of_the_method(tmp_path, monkeypatch, kind, given, options, error):
    def run_out(trainer):
        raise error

    for trainer in (ClassifierTrainer, DetectorTrainer):
        monkeypatch.setattr(trainer, "read", run_out)
    with pytest.raises(TrainingError, match=f"^Out of memory. Train a new run with a lower {options}.$"):
        train(kind(runs_dir=str(tmp_path), **given))


def test_the_image_size_of_a_backbone_run_cannot_be_lowered():
    config = AnomalyConfig(method="padim", backbone="runs/x", image_size=224, dimensions=100)
    assert _memory_options(config) == "--dimensions"


def test_a_loss_that_is_no_number_names_the_rate_of_its_stage_and_precision_where_it_is_lowered():
    head, main = plan_stages(TrainConfig(mode="finetune").resolved())
    cases = [
        (head, "float32", "--head-learning-rate"),
        (main, "bfloat16", "--learning-rate or --precision float32"),
        (main, "float32", "--learning-rate"),
    ]
    for stage, precision, words in cases:
        setup = SimpleNamespace(stage=stage, precision=precision)
        assert _remedy(setup) == f"Train a new run with a lower {words}."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "layer"),
    [(["train", "--mode", "extract"], "block3_norm"), (["anomaly", "train", "--method", "padim"], "block2_norm")],
    ids=["train", "anomaly train"],
)
def test_activations_beyond_float16_train_without_the_cache_as_the_error_says(
    medxray, phantoms, tmp_path, monkeypatch, bare, command, layer
):
    monkeypatch.chdir(tmp_path)
    large = build_classifier("shallow-cnn", image_size=32, channels=1, classes=2)
    scale = np.full_like(large.get_layer(layer).get_weights()[0], 1e6)
    large.get_layer(layer).set_weights([scale, scale, 0 * scale, 1 + 0 * scale])
    large.save("large.keras")
    words = [*command, "--data", phantoms, "--arch", "shallow-cnn", "--image-size", 32, "--weights", "large.keras"]
    words += ["--no-export", "--limit", 60, *(["--epochs", 1] if command[0] == "train" else ["--dimensions", 4])]
    status, _, err = medxray(*words)
    assert status == 1 and err.splitlines()[-1].endswith("Train a new run without the cache: --cache-budget 0MB.")
    status, _, err = medxray(*words, "--cache-budget", "0MB")
    assert status == 0, err
