"""One trial: a training without its end, judged on validation images."""

import contextlib
import dataclasses
import gc
import logging

import keras

from medxray.data.manifest import write_split_csv
from medxray.errors import RunError
from medxray.run_kinds import KINDS
from medxray.studies.tuning.choices import OBJECTIVES, SHIFTED
from medxray.studies.tuning.objective import judge
from medxray.studies.tuning.shifted import shifted_logits
from medxray.system import storage
from medxray.training import execution
from medxray.training.modes import plan_stages
from medxray.training.precision import PREFIX

_CLASSIFIER = "medxray.training.classifier"  # it warns of random weights
_QUIET = {  # loggers that say of each trial what is said of a run that is kept
    "medxray.training.execution": logging.ERROR,
    _CLASSIFIER: logging.ERROR,
    "medxray.training.listeners": logging.WARNING,
    "medxray.training.loop": logging.WARNING,
    "medxray.training.precision": logging.WARNING,
    "medxray.models": logging.WARNING,
}


def write_split(config, file, *, leave_out):
    """Write the split that all trials have.

    Args:
        config: TrainConfig.
        file: path of the CSV.
        leave_out: make the validation split of kinds of images that training does not see.

    Returns:
        Sentence on kinds of images that are left out, or None.

    Raises:
        DataError: the data cannot be read, or are too few.
    """
    with quiet():
        manifest, note = execution.choose_split(config, KINDS[config.TYPE], leave_out=leave_out)
    write_split_csv(manifest, file)
    return note


class TrainingTrials:
    """Trains trials one after the other. The images are read once; test images are never decoded or predicted.

    Args:
        directory: runs.tuning_directory.TuningDir.
        config: TrainConfig, the fixed options.
        record: dict of tuning.json.

    Raises:
        RunError: the images have changed since the search was begun.
        MedxrayError: as for `api.train`.
    """

    def __init__(self, directory, config, record):
        self._directory, self._objective = directory, OBJECTIVES[record["objective"]]
        self._shifted = record["judge_on"] == SHIFTED
        split = str(directory.split_file.resolve())
        own = {"split_file": split, "limit": None, "holdout": None, "clusters": None}
        self._config = dataclasses.replace(config, **own, export=False, overwrite=False)
        with quiet(but=(_CLASSIFIER,)):
            self._data = execution.read_images(self._config, KINDS[config.TYPE])
        self._check_images()
        self._precision = None

    def __call__(self, values, folder, report):
        """Train and judge one trial.

        Args:
            values: dict option -> value.
            folder: pathlib.Path for its run; the caller removes it.
            report: function (epoch counted through all stages, figure of unchanged validation images) that may end the
                trial by raising an exception.

        Returns:
            dict: value, ci95, n and n_patients, the figure and of how many images it is.

        Raises:
            MedxrayError: as for `api.train`.
        """
        config = dataclasses.replace(self._config, **values, name="run", runs_dir=str(folder))
        listener = _EpochReport(report, plan_stages(config.resolved()), self._objective.epoch_figure)
        try:
            with quiet():
                fitted = self._fit(config, listener)
                return self._judged(fitted)
        finally:
            keras.backend.clear_session()
            gc.collect()

    def _fit(self, config, listener):
        taken = {"data": self._data, "precision": self._precision}
        fitted = execution.fit(config, KINDS[config.TYPE], (listener,), **taken)
        if self._precision is None:
            chosen = fitted.directory.read_record().get("precision", {})
            self._precision = {name: chosen[name] for name in ("asked", PREFIX) if name in chosen} or None
        return fitted

    def _check_images(self):
        """Raise RunError where other trials of the search had other images; the first process puts them on record."""
        found = storage.text_sha256(self._data.manifest.digest(), *self._data.fitted.digests)
        with self._directory.locked():
            known = self._directory.read_record().get("images")
            if known is None:
                self._directory.update_record(images=found)
        if known not in (None, found):
            raise RunError(
                f"The images have changed since {self._directory.path} was begun, so its trials cannot be compared "
                "with new ones. Restore them, or begin another search: --name."
            )

    def _judged(self, fitted):
        predictions = fitted.validation
        views = list(shifted_logits(fitted).values()) if self._shifted else [predictions.logits]
        return judge(predictions, views, self._objective) | {
            "n": len(predictions),
            "n_patients": predictions.n_patients,
        }


class _EpochReport:
    """Tells the search each epoch's figure; epochs are counted as if no stage before had stopped early."""

    def __init__(self, report, stages, figure):
        self._report, self._figure, self._before, total = report, figure, {}, 0
        for stage in stages:
            self._before[stage.name] = total
            total += stage.epochs

    def on_epoch(self, stage, epoch, values):
        """Report a trained epoch; the starting weights are none."""
        if epoch:
            self._report(self._before[stage.name] + epoch, values[self._figure])


@contextlib.contextmanager
def quiet(*, but=()):
    """Leave out of the log what would be said of every trial, for the time of the block; `but` are loggers to hear."""
    before = {name: logging.getLogger(name).level for name in _QUIET if name not in but}
    for name in before:
        logging.getLogger(name).setLevel(_QUIET[name])
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
