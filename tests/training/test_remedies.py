"""What errors of a training tell the user to do: options that the command has."""

from types import SimpleNamespace

import pytest
import tensorflow as tf

from medxray import AnomalyConfig, TrainConfig, train
from medxray.anomaly.experiment import AnomalyExperiment
from medxray.errors import TrainingError
from medxray.training.execution import _memory_options
from medxray.training.experiment import Experiment
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
    def run_out(experiment):
        raise error

    for experiment in (Experiment, AnomalyExperiment):
        monkeypatch.setattr(experiment, "go", run_out)
    with pytest.raises(TrainingError, match=f"^Out of memory. Lower {options}.$"):
        train(kind(runs_dir=str(tmp_path), **given))


def test_the_image_size_of_a_backbone_run_cannot_be_lowered():
    config = AnomalyConfig(method="padim", backbone="runs/x", image_size=224, dimensions=100)
    assert _memory_options(config) == "--dimensions"


def test_a_loss_that_is_no_number_names_the_rate_of_its_stage_and_precision_where_it_is_chosen():
    head, main = plan_stages(TrainConfig(mode="finetune").resolved())
    cases = [
        (head, TrainConfig(), "Lower --head-learning-rate."),
        (main, TrainConfig(mixed_precision=True), "Lower --learning-rate, or leave out --mixed-precision."),
        (main, AnomalyConfig(), "Lower --learning-rate."),
    ]
    for stage, config, words in cases:
        assert _remedy(SimpleNamespace(stage=stage, config=config)) == words
