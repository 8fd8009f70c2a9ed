"""What the training of every kind of run has in common: data, timing, publishing the model, export, the end."""

import contextlib
import logging
import shutil
import time
from pathlib import Path

import tensorflow as tf

from medxray.data.manifest import read_split_csv, remedy_for_gone, write_split_csv
from medxray.errors import MedxrayError
from medxray.export import export_model
from medxray.gate.run_gate import fit_run_gate
from medxray.runs.directory import finish_replacing, point_latest
from medxray.system import storage
from medxray.training.dataset import content_table, data_record, decode_manifest

log = logging.getLogger(__name__)


class Steps:
    """Steps of a run; each leaves its result on disk, so that a resumed run can go on behind it.

    Args:
        run: RunDir.
        config: resolved RunConfig.
        kind: run_kinds.RunKind of the run.
    """

    def __init__(self, run, config, kind):
        self.run, self.config, self.kind = run, config, kind
        self._seconds = dict(run.read_record().get("seconds", {}))

    @contextlib.contextmanager
    def _timed(self, phase):
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[phase] = round(self._seconds.get(phase, 0.0) + time.perf_counter() - begin, 2)
            with contextlib.suppress(MedxrayError):  # an error inside the block is the one to tell
                self.run.update_record(seconds=self._seconds)

    def _data(self):
        if self.run.split_file.exists():
            data = self.run.read_record()["data"]
            manifest = read_split_csv(
                self.run.split_file,
                root=data["root"],
                task=data["task"],
                classes=data["classes"],
                positive=data["positive"],
                remedy=remedy_for_gone(data["root"]),
            )
            return self._decode(manifest)
        manifest, images = self._decode(self._choose())
        log.info("%s", _split_table(manifest))
        self.run.update_record(data=data_record(manifest, self.config), device=_device())
        storage.write_csv(self.run.content_file, content_table(manifest))
        write_split_csv(manifest, self.run.split_file)
        return manifest, images

    def _choose(self):
        """The manifest of a new run."""
        raise NotImplementedError

    def _decode(self, manifest):
        """(Manifest of the readable images, features.ImageSet over them)."""
        return decode_manifest(manifest, self.config)

    def _publish(self, model):
        save_model(model, self.run.model_file)
        finish_replacing(self.run)
        point_latest(self.run)

    def _fit_gate(self, model, images, *, rows, pooled=None):
        """Fit the input gate; `rows` and `pooled` as for `gate.run_gate.fit_run_gate`."""
        with self._timed("gate"):
            fit_run_gate(self.run, model, images.source, rows=rows, pooled=pooled, seed=self.config.seed)

    def _export(self):
        result = export_model(self.kind.load(self.run), Path(self.config.saved_models_dir) / self.run.name)
        self.run.update_record(export=str(result.path))

    def _finish(self):
        self.run.update_record(state="completed", seconds=self._seconds)
        shutil.rmtree(self.run.state_file.parent)
        log.info("Finished in %.0f s: %s", sum(self._seconds.values()), self.run.path)


def save_model(model, path):
    """Write a Keras model atomically."""
    with storage.atomic_path(path) as file:
        model.save(file)


def _split_table(manifest):
    """Images and patients per split and class, as the text of a small table."""
    counts = manifest.counts()
    lines = ["Split  " + "".join(f"{name:>24}" for name in manifest.classes)]
    for split, part in counts.groupby("split", sort=False):
        cells = [f"{row.images} ({row.patients} patients)" for row in part.itertuples()]
        lines.append(f"{split:<7}" + "".join(f"{cell:>24}" for cell in cells))
    return "\n".join(lines)


def _device():
    gpus = tf.config.list_physical_devices("GPU")
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
    return ", ".join(names) or "CPU"
