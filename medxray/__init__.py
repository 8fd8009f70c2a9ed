"""medxray: chest X-ray classification with honest evaluation, heatmaps and portable SavedModels.

`train(config)` trains and returns a Run, `load_run(path)` loads one; `TrainConfig` and
`AnomalyConfig` hold the options. TensorFlow is imported when one of the first two is first used, not before.
"""

import importlib

from medxray.moved import keep_old_paths
from medxray.version import __version__ as __version__

__all__ = ["AnomalyConfig", "Run", "TrainConfig", "load_run", "resume", "train"]
_CONFIGS = {"TrainConfig": "medxray.training.config", "AnomalyConfig": "medxray.anomaly.config"}
keep_old_paths()


def __getattr__(name):
    if name in _CONFIGS:
        return getattr(importlib.import_module(_CONFIGS[name]), name)
    if name in __all__:
        importlib.import_module("medxray.system.backend").load_tensorflow()
        return getattr(importlib.import_module("medxray.api"), name)
    raise AttributeError(f"module 'medxray' has no attribute '{name}'")
