"""What MLflow holds of a training, asked through its own client."""

import pytest

import medxray
from medxray import TrainConfig
from medxray.errors import TrainingError
from medxray.training.modes import Stage
from tests.fixtures.bare_runs import leave_out_most
from tests.fixtures.stored_runs import write_stored_run

mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed here")
STAGE = Stage("main", None, 2, 1e-3)


@pytest.fixture(scope="module")
def run(tracked_config):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        leave_out_most(patch)
        return medxray.train(tracked_config(mlflow=True))


@pytest.fixture(scope="module")
def uri(run):
    return f"sqlite:///{run.path.parent / 'mlflow.db'}"


@pytest.fixture(scope="module")
def logged(run, uri):
    """The run as MLflow knows it."""
    client = mlflow.MlflowClient(tracking_uri=uri)
    (experiment,) = client.search_experiments(filter_string="name = 'medxray'")
    (found,) = client.search_runs([experiment.experiment_id])
    return found


def test_the_run_is_finished_under_its_name_with_its_options(run, logged):
    assert logged.info.run_name == "it" and logged.info.status == "FINISHED"
    assert logged.info.run_id == run.directory.read_record()["mlflow"]
    assert logged.data.params["arch"] == "shallow-cnn" and logged.data.params["epochs"] == "2"


def test_figures_of_epochs_and_splits_are_metrics(run, uri, logged):
    client = mlflow.MlflowClient(tracking_uri=uri)
    assert [one.step for one in client.get_metric_history(logged.info.run_id, "main/val_loss")] == [0, 1, 2]
    report = medxray.load_run(run.path).directory
    assert logged.data.metrics["test/auroc"] is not None and report.metrics_file.exists()


def test_files_are_artifacts(uri, logged):
    client = mlflow.MlflowClient(tracking_uri=uri)
    names = {one.path for one in client.list_artifacts(logged.info.run_id)}
    assert {"run.json", "history.csv", "metrics.json", "predictions.csv", "model_card.md", "report.html"} <= names


def test_the_saved_model_answers_as_the_run_does(run, uri, logged, phantoms):
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        model = mlflow.pyfunc.load_model(f"runs:/{logged.info.run_id}/model")
    finally:
        mlflow.set_tracking_uri(before)
    assert [column.name for column in model.metadata.signature.inputs] == ["image_bytes"]
    files = sorted(phantoms.rglob("*.jpeg"))[:3]
    import pandas as pd

    answers = model.predict(pd.DataFrame({"image_bytes": [file.read_bytes() for file in files]}))
    expected = run.predict(files)
    assert answers["label"].tolist() == expected["label"].tolist()
    assert answers["probability_PNEUMONIA"].tolist() == pytest.approx(expected["probability"].tolist(), abs=1e-5)


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Function () -> (MlflowLog of a stored run, its directory)."""
    from medxray.tracking.mlflow_log import MlflowLog

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    directory = write_stored_run(tmp_path / "runs", n=20, images=False)
    config = TrainConfig(arch="shallow-cnn", mode="scratch").resolved()
    return lambda: (MlflowLog(directory, config), directory)


def test_a_resumed_run_goes_on_where_it_was(begin, tmp_path):
    log, directory = begin()
    log.on_epoch(STAGE, 1, {"loss": 0.5})
    log.on_stop()
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'runs' / 'mlflow.db'}")
    number = directory.read_record()["mlflow"]
    assert client.get_run(number).info.status == "KILLED"
    again, _ = begin()
    again.on_epoch(STAGE, 2, {"loss": 0.25})
    assert directory.read_record()["mlflow"] == number and client.get_run(number).info.status == "RUNNING"
    assert [one.value for one in client.get_metric_history(number, "main/loss")] == [0.5, 0.25]


def test_an_epoch_that_mlflow_does_not_take_is_a_warning_and_sent_later(begin, monkeypatch, caplog):
    log, directory = begin()
    send = log._client.log_batch

    def refuse(*parts, **named):
        raise mlflow.exceptions.MlflowException("the server is gone\nmore")

    monkeypatch.setattr(log._client, "log_batch", refuse)
    log.on_epoch(STAGE, 1, {"loss": 0.5})
    log.on_epoch(STAGE, 2, {"loss": 0.25})
    assert caplog.text.count("MLflow does not answer, training goes on: the server is gone") == 1
    monkeypatch.setattr(log._client, "log_batch", send)
    log.on_epoch(STAGE, 3, {"loss": 0.125})
    history = log._client.get_metric_history(directory.read_record()["mlflow"], "main/loss")
    assert [one.value for one in history] == [0.5, 0.25, 0.125]


def test_a_store_that_does_not_answer_is_told_before_the_training(begin, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/file/mlflow.db")
    with pytest.raises(TrainingError, match=r"MLflow at sqlite:///.* does not answer: .* or train without --mlflow\."):
        begin()


def test_addresses_are_shown_without_passwords():
    from medxray.tracking.mlflow_log import _shown

    assert _shown("https://me:secret@host:5000") == "https://host:5000"
    assert _shown("sqlite:////a@b/mlflow.db") == "sqlite:////a@b/mlflow.db"
