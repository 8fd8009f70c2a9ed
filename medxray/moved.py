"""Import paths of version 0.1. They work until version 0.3, with a DeprecationWarning that names the new place."""

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
import warnings

MOVED = {  # old module -> the modules that hold its names now, all below `medxray`
    "anomaly.autoencoder_method": "anomaly.autoencoder_trainer",
    "anomaly.patch_method": "anomaly.patch_trainer",
    "anomaly.patches_of_images": "anomaly.patch_source",
    "answers": "predict.table",
    "assessment": "evaluation.after_training evaluation.report evaluation.pictures runs.stored_decision",
    "backend": "system.backend",
    "cli.gradcam": "cli.explain",
    "cli.written": "cli.report_files",
    "data.against_normal": "data.layouts.against_normal",
    "data.audit": "data.audit.findings",
    "data.csv_source": "data.layouts.csv_source",
    "data.decode": "data.images.decode",
    "data.dicom": "data.images.dicom",
    "data.dicom_grey": "data.images.dicom_grey",
    "data.duplicates": "data.audit.duplicates",
    "data.folders": "data.layouts.folders",
    "data.headers": "data.images.headers",
    "data.images": "data.images.files",
    "data.kermany": "data.layouts.kermany data.tasks",
    "data.labels": "data.layouts.labels data.layouts.names data.tasks",
    "data.phantom": "data.phantom.draw",
    "data.phantom_anatomy": "data.phantom.anatomy",
    "data.phantom_grid": "data.phantom.grid",
    "data.phantom_opacity": "data.phantom.opacity",
    "data.shortcuts": "data.audit.shortcuts",
    "data.sources": "data.layouts.sources",
    "data.thumbnails": "data.images.thumbnails",
    "data.tiff": "data.images.tiff",
    "embedding_study": "embeddings.study",
    "evaluate.anomaly_card": "anomaly.card",
    "evaluate.bootstrap": "metrics.bootstrap",
    "evaluate.calibration": "metrics.calibration",
    "evaluate.compare": "metrics.compare",
    "evaluate.curves": "metrics.curves",
    "evaluate.decision": "metrics.decision",
    "evaluate.failures": "metrics.failures",
    "evaluate.intervals": "metrics.intervals",
    "evaluate.markdown": "evaluation.markdown",
    "evaluate.metrics": "metrics.metrics",
    "evaluate.model_card": "evaluation.model_card",
    "evaluate.net_benefit": "metrics.net_benefit",
    "evaluate.notes": "metrics.notes",
    "evaluate.reliability": "metrics.reliability",
    "evaluate.report": "metrics.report",
    "evaluate.statistics": "metrics.statistics",
    "evaluate.subgroups": "metrics.subgroups",
    "evaluate.thresholds": "metrics.thresholds metrics.threshold_rules",
    "evaluation": "evaluation.evaluate runs.images",
    "explain.gradcam": "explain.keras_vis explain.maps",
    "explain.truth": "runs.truth",
    "extraction": "embeddings.extract",
    "gating": "gate.run_gate",
    "inference": "models.inference",
    "inputs": "predict.inputs data.layouts.labels",
    "kinds": "run_kinds",
    "models.autoencoder": "anomaly.autoencoder",
    "models.cnn": "models.architectures.cnn",
    "models.detector": "anomaly.score",
    "models.keras_apps": "models.architectures.vgg models.architectures.resnet models.architectures.densenet",
    "models.padim": "anomaly.padim",
    "models.patch_detector": "anomaly.patch_graph",
    "models.patch_features": "anomaly.patch_features",
    "models.patchcore": "anomaly.patchcore",
    "models.similarity": "anomaly.similarity",
    "neighbors": "embeddings.similar",
    "plots.anomaly": "anomaly.displays",
    "plots.neighbors": "embeddings.similar_figure",
    "plots.scatter": "embeddings.map",
    "plots.scatter_page": "embeddings.map_page",
    "plots.scatter_script": "embeddings.map_script",
    "predictions": "metrics.predictions metrics.prediction_table",
    "progress": "system.progress",
    "reading": "predict.input_form",
    "runs": "runs.directory runs.environment",
    "storage": "system.storage",
    "trained": "trained_run",
    "training.experiment": "training.classifier",
    "training.steps": "training.trainer training.checkpoint",
}

RENAMED = {  # names that are called otherwise now, or lie elsewhere than the rest of their module
    "anomaly.autoencoder_method.AutoencoderMethod": "anomaly.autoencoder_trainer.AutoencoderTrainer",
    "anomaly.patch_method.PatchMethod": "anomaly.patch_trainer.PatchTrainer",
    "data.folders.class_files": "data.layouts.walk.class_files",
    "data.folders.is_healthy": "data.layouts.names.is_healthy",
    "data.images.ImageInfo": "data.images.headers.ImageInfo",
    "data.labels.Row": "data.layouts.labels.LabelledFile",
    "data.labels.TASK_CLASSES": "data.tasks.TASK_CLASSES",
    "data.labels.letters": "data.layouts.names.letters",
    "data.labels.listed": "data.layouts.names.listed",
    "data.labels.nearest": "data.layouts.names.nearest",
    "data.labels.opposites": "data.layouts.names.opposites",
    "evaluate.compare.mcnemar": "metrics.paired.mcnemar",
    "explain.folder.Written": "predict.outcomes.WrittenFiles",
    "explain.truth.Listed": "runs.truth.SplitRow",
    "extraction.other_manifest": "runs.images.other_manifest",
    "export.parity.squared_gap": "anomaly.serving.squared_gap",
    "data.splits.leaks": "data.split_checks.leaks",
    "plots.style.with_interval": "metrics.intervals.estimate_text",
    "plots.style.equals_probability": "metrics.intervals.equals_probability",
    "reading.Form": "predict.input_form.InputForm",
    "reading.Inputs": "predict.input_form.ReadImages",
    "models.registry.AUTOENCODER_LOSSES": "anomaly.choices.LOSSES",
    "models.registry.AUTOENCODER_MINIMUM": "anomaly.choices.AUTOENCODER_MINIMUM",
    "models.registry.IMAGE_SCORES": "anomaly.choices.IMAGE_SCORES",
    "models.registry.PATCH_SCALES": "anomaly.choices.PATCH_SCALES",
    "anomaly.experiment.AnomalyExperiment": "anomaly.experiment.DetectorTrainer",
    "training.experiment.Experiment": "training.classifier.ClassifierTrainer",
    "training.features.ImageSet": "training.image_set.ImageSet",
    "training.prefix_cache.clear": "training.cache_folder.clear",
    "training.prefix_cache.list_entries": "training.cache_folder.list_entries",
    "training.prefix_cache.parse_size": "training.cache_folder.parse_size",
    "training.steps.Steps": "training.trainer.Trainer",
    "trained.predict_batches": "models.inference.predict_batches",
}

_GONE_PACKAGES = ("evaluate",)  # packages that hold nothing any more


class _OldModule(types.ModuleType):
    """Looks names up where they are now."""

    def __getattr__(self, name):
        return _now(self.__name__, name)


class _OldPaths(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of MOVED under their old names."""

    def find_spec(self, fullname, path=None, target=None):
        """The spec of an old module; None for every other name."""
        name = fullname.removeprefix("medxray.")
        if fullname == name or name not in (*MOVED, *_GONE_PACKAGES):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=name in _GONE_PACKAGES)

    def create_module(self, spec):
        """An empty module that looks its names up elsewhere."""
        return _OldModule(spec.name)

    def exec_module(self, module):
        """Nothing to run."""


def _now(old, name):
    """The value of a name of an old module, from where it is now; raises AttributeError where there is none."""
    module = old.removeprefix("medxray.")
    places = [f"{place}.{name}" for place in MOVED.get(module, "").split()]
    if f"{module}.{name}" in RENAMED:
        places = [RENAMED[f"{module}.{name}"]]
    if name.startswith("__"):  # what Python itself asks of a module
        places = []
    for place in places:
        room, _, present = place.rpartition(".")
        try:
            value = getattr(importlib.import_module(f"medxray.{room}"), present)
        except AttributeError:
            continue
        text = f"{old}.{name} is now medxray.{place}; the old path goes with version 0.3."
        warnings.warn(text, DeprecationWarning, stacklevel=3)
        return value
    raise AttributeError(f"module {old!r} has no attribute {name!r}")


def names_of_old_module(package):
    """`__getattr__` of a module of version 0.1 that lost names: they are found where they are now."""
    return lambda name: _now(package, name)


def keep_old_paths():
    """Let Python find the modules of version 0.1."""
    if not any(isinstance(finder, _OldPaths) for finder in sys.meta_path):
        sys.meta_path.append(_OldPaths())
