"""Events of a training, read back as TensorBoard reads them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import medxray
from medxray import TrainConfig
from medxray.errors import TrainingError
from tests.fixtures.bare_runs import leave_out_most

pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed here")


def read_events(folder):
    """What TensorBoard finds in a folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    found.Reload()
    return found


@pytest.fixture(scope="module")
def run(tracked_config):
    with pytest.MonkeyPatch.context() as patch:
        leave_out_most(patch)
        return medxray.train(tracked_config(tensorboard=True, export=False))


@pytest.fixture(scope="module")
def events(run):
    return read_events(run.directory.events_folder)


def scalars(events, tag):
    from tensorboard.util import tensor_util

    return {event.step: float(tensor_util.make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)}


def of_plugin(events, name):
    return set(events.summary_metadata) & set(events.PluginTagToContent(name))


def test_every_epoch_of_every_stage_is_there_with_the_numbers_of_the_history(run, events):
    history = pd.read_csv(run.directory.history_file)
    for stage, rows in history.groupby("stage"):
        found = scalars(events, f"{stage}/val_loss")
        assert found == pytest.approx(dict(zip(rows["epoch"], rows["val_loss"], strict=True)), rel=1e-6)
        trained = rows[rows["epoch"] > 0]
        assert scalars(events, f"{stage}/learning_rate").keys() == set(trained["epoch"])


def test_figures_of_the_splits_are_there(run, events):
    from medxray.report.contents import read_contents

    report = read_contents(run.path).reports["test"]
    assert scalars(events, "test/auroc") == {0: pytest.approx(report["auroc"]["value"])}
    assert "val/brier" in of_plugin(events, "scalars")


def test_precision_recall_curves_hold_the_counts_of_each_threshold(run, events):
    from tensorboard.util import tensor_util

    assert of_plugin(events, "pr_curves") == {
        "test/PNEUMONIA/pr_curves",
        "val/PNEUMONIA/pr_curves",
        "train/PNEUMONIA/pr_curves",
    }
    (event,) = events.Tensors("test/PNEUMONIA/pr_curves")
    curve = tensor_util.make_ndarray(event.tensor_proto)
    part = medxray.read_predictions(run.directory.predictions_file)["test"]
    assert curve[0, 0] == part.is_positive.sum() and curve[1, 0] == (~part.is_positive).sum()
    called = part.probabilities(run.decision.calibration)[:, 1] * 200 >= 100
    assert curve[0, 100] == (called & part.is_positive).sum()


def test_heatmaps_are_pictures(events):
    tags = of_plugin(events, "images")
    assert 1 <= len(tags) <= 8 and "test/heatmap 1" in tags
    (event,) = events.Tensors("test/heatmap 1")
    width, height, picture = event.tensor_proto.string_val
    assert picture.startswith(b"\x89PNG") and int(width) > int(height) > 100


def test_options_are_hyperparameters(events):
    from tensorboard.plugins.hparams import plugin_data_pb2

    (content,) = events.PluginTagToContent("hparams").values()
    data = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    assert data["arch"].string_value == "shallow-cnn" and data["epochs"].number_value == 2


@pytest.mark.slow
def test_a_run_that_fails_leaves_its_epochs(tracked_config, monkeypatch):
    from medxray.training.classifier import ClassifierTrainer

    def fail(*parts):
        raise TrainingError("stopped here")

    monkeypatch.setattr(ClassifierTrainer, "finish", fail)
    config = tracked_config(tensorboard=True, export=False)
    with pytest.raises(TrainingError, match="stopped here"):
        medxray.train(config)
    events = read_events(f"{config.runs_dir}/it/tensorboard")
    assert list(scalars(events, "main/val_loss")) == [0, 1, 2] and np.isfinite(scalars(events, "main/loss")[2])


def test_a_disk_that_is_full_at_the_end_is_a_warning_since_the_run_is_complete(run, tmp_path, monkeypatch, caplog):
    from medxray.tracking import tensorboard_log as log

    tracker = log.TensorBoardLog(SimpleNamespace(events_folder=tmp_path / "events"), TrainConfig().resolved())

    def full(*parts):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log, "_curve", full)
    tracker.on_complete(run)
    assert "The run is complete, but not all of it is in TensorBoard: [Errno 28] No space left" in caplog.text


def test_images_that_cannot_be_read_any_more_are_named(run, tmp_path, monkeypatch, caplog):
    from medxray.tracking import tensorboard_log as log

    tracker = log.TensorBoardLog(SimpleNamespace(events_folder=tmp_path / "events"), TrainConfig().resolved())
    monkeypatch.setattr(type(run), "gradcam", lambda self, names: ([], dict.fromkeys(names[:1], "the file is gone")))
    tracker.on_complete(run)
    assert "No heatmap for TensorBoard: " in caplog.text and ": the file is gone" in caplog.text
