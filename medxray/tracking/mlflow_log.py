"""A run in MLflow: options, figures of every epoch and split, files, and the SavedModel with its signature."""

import logging
import os
import time
import warnings
from pathlib import Path

import mlflow
import tensorflow as tf
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException

from medxray.errors import TrainingError
from medxray.report.report import write_report
from medxray.runs.study_directory import is_study
from medxray.system import storage
from medxray.tracking.facts import epoch_figures, final_figures, options_told

log = logging.getLogger(__name__)
EXPERIMENT = "medxray"  # unless MLFLOW_EXPERIMENT_NAME says another
RECORDED = "mlflow"  # entry of run.json: the id of the run in MLflow
_LONGEST = 6000  # letters of a parameter
_PARAMETERS, _METRICS = 100, 1000  # at a time; MLflow takes no more
_GONE = "RESOURCE_DOES_NOT_EXIST"
_FAULTS = (MlflowException, OSError)  # what the package requests raises is an OSError


class MlflowLog:
    """Logs a run to MLFLOW_TRACKING_URI, else to `mlflow.db` in the folder of runs. A resumed run goes on there.

    What cannot be sent during training is a warning, and sent with what comes later.

    Args:
        run: runs.directory.RunDir.
        config: resolved training.config.TrainConfig.

    Raises:
        TrainingError: MLflow cannot be reached.
    """

    def __init__(self, run, config):
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self._run, self._unsent, self._warned = run, [], False
        named = os.environ.get("MLFLOW_TRACKING_URI")
        self._uri = named or "sqlite:///" + (_folder_of_runs(run) / "mlflow.db").as_posix()
        place = None if named else (_folder_of_runs(run) / "mlflow-files").as_uri()
        try:
            self._client = mlflow.MlflowClient(tracking_uri=self._uri)
            self._id = self._known() or self._begin(config, place)
        except _FAULTS as error:
            raise TrainingError(
                f"MLflow at {_shown(self._uri)} does not answer: {_first_line(error)} Start it, or train without "
                "--mlflow."
            ) from error
        run.update_record(**{RECORDED: self._id})

    def on_epoch(self, stage, epoch, values):
        """Log the figures of an epoch."""
        self._log(epoch_figures(stage, values), epoch)

    def on_complete(self, trained):
        """Log figures of the splits, files and SavedModel."""
        reports = storage.read_json(self._run.metrics_file)["splits"]
        self._log(final_figures(reports), 0)
        try:
            self._files()
            if "export" in trained.record:
                _log_model(trained, uri=self._uri, run_id=self._id)
            self._client.set_terminated(self._id, "FINISHED")
        except _FAULTS as error:
            log.warning("The run is complete, but not all of it is in MLflow: %s", _first_line(error))

    def on_stop(self):
        """Say that the run was not completed."""
        try:
            self._client.set_terminated(self._id, "KILLED")
        except _FAULTS as error:
            log.warning("MLflow does not know that the run was stopped: %s", _first_line(error))

    def _known(self):
        """The id of the run in MLflow that a resumed run goes on with; None where there is none."""
        known = self._run.read_record().get(RECORDED)
        try:
            if known:
                self._client.update_run(known, status="RUNNING")
        except MlflowException as error:
            if error.error_code != _GONE:
                raise
            return None
        return known

    def _begin(self, config, place):
        """A new run in MLflow with the options as its parameters; its id. Its files go to `place` (a URI or None)."""
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        experiment = self._client.get_experiment_by_name(name)
        number = experiment.experiment_id if experiment else self._client.create_experiment(name, place)
        began = self._client.create_run(number, run_name=_full_name(self._run)).info.run_id
        told = [Param(name, str(value)[:_LONGEST]) for name, value in options_told(config).items()]
        for first in range(0, len(told), _PARAMETERS):
            self._client.log_batch(began, params=told[first : first + _PARAMETERS])
        return began

    def _log(self, figures, step):
        now = int(time.time() * 1000)
        self._unsent += [Metric(name, value, now, step) for name, value in figures.items()]
        try:
            while self._unsent:
                self._client.log_batch(self._id, metrics=self._unsent[:_METRICS])
                self._unsent = self._unsent[_METRICS:]
        except _FAULTS as error:
            if not self._warned:
                log.warning("MLflow does not answer, training goes on: %s", _first_line(error))
            self._warned = True

    def _files(self):
        run = self._run
        write_report(run.path)
        files = (
            run.record_file,
            run.history_file,
            run.metrics_file,
            run.predictions_file,
            run.card_file,
            run.report_file,
        )
        for file in filter(Path.is_file, files):
            self._client.log_artifact(self._id, str(file))
        if run.plots.is_dir():
            self._client.log_artifacts(self._id, str(run.plots), "plots")


def _folder_of_runs(run):
    """The folder that holds the run, or the study that it belongs to."""
    folder = run.path.resolve().parent
    return folder.parent if is_study(folder) else folder


def _full_name(run):
    """Name of the run, behind that of its study where it belongs to one."""
    return run.path.resolve().relative_to(_folder_of_runs(run)).as_posix()


def _shown(uri):
    """An address without user and password."""
    scheme, mark, rest = uri.partition("://")
    return scheme + mark + (rest.rpartition("@")[2] if scheme.startswith("http") else rest)


def _first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _log_model(trained, *, uri, run_id):
    """Log the SavedModel as the model `model` of a run: images as bytes in, labels and probabilities out."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    outputs = [ColSpec("string", "label"), *(ColSpec("double", f"probability_{name}") for name in trained.classes)]
    signature = ModelSignature(inputs=Schema([ColSpec("binary", "image_bytes")]), outputs=Schema(outputs))
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        with mlflow.start_run(run_id=run_id), warnings.catch_warnings(action="ignore"):
            mlflow.pyfunc.log_model(
                name="model",
                python_model=str(Path(__file__).with_name("served.py")),
                artifacts={"saved_model": trained.record["export"]},
                signature=signature,
                pip_requirements=[f"mlflow=={mlflow.__version__}", f"tensorflow=={tf.__version__}", "pandas"],
            )
    finally:
        mlflow.set_tracking_uri(before)
