"""Whether Optuna is there, which is no dependency of everyone. Imports nothing of it."""

import importlib.util

from medxray.errors import ConfigError


def check_optuna():
    """Raise ConfigError with the remedy where Optuna is not installed."""
    if importlib.util.find_spec("optuna") is None:
        raise ConfigError("`medxray tune` needs Optuna, which is not installed: pip install 'medxray[tune]'")
