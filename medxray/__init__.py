"""medxray: chest X-ray classification with honest evaluation, heatmaps and portable SavedModels.

`train(config)` trains and returns a Run, `load_run(path)` loads one; `TrainConfig`, `AnomalyConfig` and
`EnsembleConfig` hold the options. The other names are for work on data, predictions and embeddings without a run. Each
name is imported when it is first used, TensorFlow with the first of `Run`, `load_run`, `resume`, `train`
and `write_film`.
"""

import importlib

from medxray.moved import keep_old_paths
from medxray.version import __version__ as __version__

_WITHOUT_TENSORFLOW = {
    "AnomalyConfig": "medxray.anomaly.config",
    "Decision": "medxray.metrics.decision",
    "EnsembleConfig": "medxray.ensemble.config",
    "FilmRequest": "medxray.film.request",
    "MedxrayError": "medxray.errors",
    "Predictions": "medxray.metrics.predictions",
    "TrainConfig": "medxray.training.config",
    "auroc_difference": "medxray.metrics.paired",
    "clustered_auroc": "medxray.metrics.clustered",
    "compare_runs": "medxray.metrics.compare",
    "copy_sample": "medxray.data.sample",
    "evaluate_split": "medxray.metrics.report",
    "fit_decision": "medxray.metrics.decision",
    "generate_phantoms": "medxray.data.phantom.draw",
    "load_manifest": "medxray.data.layouts.sources",
    "mcnemar": "medxray.metrics.paired",
    "permutation_test": "medxray.metrics.paired",
    "read_embeddings": "medxray.embeddings.vectors",
    "read_predictions": "medxray.metrics.prediction_table",
    "render_phantom": "medxray.data.phantom.draw",
    "write_predictions": "medxray.metrics.prediction_table",
    "write_report": "medxray.studies.compared_report",
}
_WITH_TENSORFLOW = dict.fromkeys(("Run", "load_run", "resume", "train"), "medxray.api")
_WITH_TENSORFLOW["write_film"] = "medxray.film.film"
__all__ = sorted((*_WITHOUT_TENSORFLOW, *_WITH_TENSORFLOW))
keep_old_paths()


def __getattr__(name):
    if name in _WITH_TENSORFLOW:
        importlib.import_module("medxray.system.backend").load_tensorflow()
        return getattr(importlib.import_module(_WITH_TENSORFLOW[name]), name)
    if name in _WITHOUT_TENSORFLOW:
        return getattr(importlib.import_module(_WITHOUT_TENSORFLOW[name]), name)
    raise AttributeError(f"module 'medxray' has no attribute '{name}'")


def __dir__():
    return [*globals(), *__all__]
