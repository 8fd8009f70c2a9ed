"""What the training of every kind of run has in common: its images, timing, and the order of its parts."""

import contextlib
import dataclasses
import logging
import shutil
import time
from pathlib import Path

from medxray.data.augment import policy
from medxray.data.manifest import SPLITS, read_split_csv, remedy_for_gone, write_split_csv
from medxray.errors import MedxrayError
from medxray.export import export_model
from medxray.gate.run_gate import fit_run_gate
from medxray.runs.directory import finish_replacing, point_latest
from medxray.runs.holdouts import holdout_of_split
from medxray.system import storage
from medxray.system.backend import device_name
from medxray.system.storage import check_space
from medxray.training.checkpoint import save_model
from medxray.training.dataset import SAMPLE, content_table, data_record
from medxray.training.run_data import read_data, read_test

log = logging.getLogger(__name__)
_MODEL_FILES = 5  # sizes of the initial model that model, checkpoint (with the optimizer) and SavedModel take together


class Trainer:
    """Trains one run: `read`, `fit` and `finish`. Each leaves its result on disk, so that a resumed run goes on there.

    Args:
        run: RunDir.
        config: resolved RunConfig.
        kind: the kind of the run, see `execution.start_run`.
        listeners: further listeners.EpochListener.

    Attributes:
        batch: images that the model takes at a time once it is trained.
    """

    batch = 32

    def __init__(self, run, config, kind, listeners=()):
        self.run, self.config, self.kind, self.listeners = run, config, kind, listeners
        self._seconds = dict(run.read_record().get("seconds", {}))

    def read(self, splits=SPLITS):
        """Choose the images of the run, or take those on record, and decode the images of some splits.

        What can fail without any image, such as missing weights, is done before the first one is decoded.

        Every file is hashed when a new run chooses its images: equal files must not come into different splits.

        Args:
            splits: SPLITS, or run_data.FITTED to leave the test images to `finish`.

        Returns:
            RunData.

        Raises:
            DataError: `--strict` and a file cannot be used, or a class has too few readable images.
        """
        with self._timed("data"):
            new = not self.run.split_file.exists()
            manifest = self._chosen() if new else self._recorded_manifest()
        self._prepare(manifest)
        with self._timed("data"):
            data = read_data(manifest, self.config, learned=self._learned(manifest), splits=splits)
            if new:
                log.info("%s", _split_table(data.manifest))
                self.run.update_record(device=device_name())
            if new or len(data.manifest) < len(manifest):
                self._record_data(data.manifest)
            return data

    def take(self, data):
        """Take the images that another run with the same options of data has read, instead of `read`.

        Args:
            data: RunData; it is augmented as this run says.

        Returns:
            RunData.
        """
        self._prepare(data.manifest)
        with self._timed("data"):
            self._record_data(data.manifest)
        own = {"policy": policy(self.config.augment), "seed": self.config.seed_of_images}
        return dataclasses.replace(data, fitted=dataclasses.replace(data.fitted, **own))

    def fit(self, data):
        """Fit the model on training images and choose its best epoch by validation images.

        It leaves history and checkpoint, but no decision, figures, gate or export.

        Args:
            data: RunData; its test images are not looked at.

        Returns:
            fitted.FittedRun.
        """
        raise NotImplementedError

    def finish(self, fitted):
        """Write model, gate, decision, evaluation with its figures, and export; the record says "completed" at the end.

        Args:
            fitted: what `fit` returned. Test images that are not read yet are read now.

        Raises:
            DataError: as for `read`.
        """
        self._publish(fitted.model)
        data = self._with_test(fitted.data)
        self._fit_gate(fitted)
        self._evaluate(fitted, data)
        if self.config.export:
            with self._timed("export"):
                self._export()
        self._complete()

    def _chosen(self):
        """The manifest of a new run; what the run of its split file holds out goes on record."""
        manifest, split_file = self._choose(), self.config.split_file
        held = None if split_file is None else holdout_of_split(split_file, manifest)
        if held:
            self.run.update_record(holdout=held)
        return manifest

    def _held_note(self):
        """Remark on kinds of images that are held out, or None: it stands in the report of the test split."""
        return self.run.read_record().get("holdout", {}).get("note")

    def _choose(self):
        """The manifest of a new run."""
        raise NotImplementedError

    def _prepare(self, manifest):
        """Make the initial model, so that missing weights and a full disk are known before images are decoded."""

    def _check_space(self):
        """Raise StorageError where the disk has no room for what a run writes of its model."""
        initial = self.run.initial_model_file
        if initial.exists():
            check_space(self.run.path, _MODEL_FILES * initial.stat().st_size)

    def _learned(self, manifest):
        """The classes that the train split has to hold."""
        return manifest.classes

    def _evaluate(self, fitted, data):
        """Predict what is not predicted yet, and write decision, metrics, tables, plots and model card."""
        raise NotImplementedError

    def _pooled(self, fitted):
        """Pooled features of the rows that the gate is fitted on: two arrays (n,c); None where they are not known."""
        return None

    @contextlib.contextmanager
    def _timed(self, phase):
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[phase] = round(self._seconds.get(phase, 0.0) + time.perf_counter() - begin, 2)
            with contextlib.suppress(MedxrayError):  # an error inside the block is the one to report
                self.run.update_record(seconds=self._seconds)

    def _recorded_manifest(self):
        data = self.run.read_record()["data"]
        return read_split_csv(
            self.run.split_file,
            root=data["root"],
            task=data["task"],
            classes=data["classes"],
            positive=data["positive"],
            remedy=remedy_for_gone(data["root"]),
        )

    def _record_data(self, manifest):
        """Put the images of the run on record; what was left out before stays on it."""
        earlier = self.run.read_record().get("data", {}).get("skipped", [])
        data = data_record(manifest, self.config)
        skipped = [*earlier, *(item for item in data["skipped"] if item not in earlier)]
        self.run.update_record(data={**data, "skipped": skipped})
        storage.write_csv(self.run.content_file, content_table(manifest))
        write_split_csv(manifest, self.run.split_file)

    def _with_test(self, data):
        if data.test is not None:
            return data
        with self._timed("data"):
            whole = read_test(data, self.config, learned=self._learned(data.manifest))
            if len(whole.manifest) < len(data.manifest):
                self._record_data(whole.manifest)
            return whole

    def _publish(self, model):
        save_model(model, self.run.model_file)
        finish_replacing(self.run)
        point_latest(self.run)

    def _fit_gate(self, fitted):
        images = fitted.data.fitted
        rows = [images.rows[name] for name in (SAMPLE, "val")]
        pooled = self._pooled(fitted)
        with self._timed("gate"):
            how = {"pooled": pooled, "seed": self.config.seed, "batch": self.batch}
            fit_run_gate(self.run, fitted.model, images.source, rows=rows, **how)

    def _export(self):
        result = export_model(self.kind.load(self.run), Path(self.config.saved_models_dir) / self.run.name)
        self.run.update_record(export=str(result.path))

    def _complete(self):
        self.run.update_record(state="completed", seconds=self._seconds)
        shutil.rmtree(self.run.state_file.parent)
        log.info("Finished in %.0f s: %s", sum(self._seconds.values()), self.run.path)


def _split_table(manifest):
    """Images and patients per split and class, as the text of a small table."""
    counts = manifest.counts()
    lines = ["Split  " + "".join(f"{name:>24}" for name in manifest.classes)]
    for split, part in counts.groupby("split", sort=False):
        cells = [f"{row.images} ({row.patients} patients)" for row in part.itertuples()]
        lines.append(f"{split:<7}" + "".join(f"{cell:>24}" for cell in cells))
    return "\n".join(lines)
