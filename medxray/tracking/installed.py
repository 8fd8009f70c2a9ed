"""Whether what a run is to be followed with is there, which is no dependency of everyone. Imports nothing of it."""

import importlib.util

from medxray.errors import ConfigError

TRACKING = ("tensorboard", "mlflow")  # options, packages and extras alike


def check_installed(config):
    """Raise ConfigError with the remedy where a package that a configuration asks for is not installed."""
    for name in TRACKING:
        if getattr(config, name, False) and importlib.util.find_spec(name) is None:
            raise ConfigError(f"--{name} needs {name}, which is not installed: pip install 'medxray[{name}]'")
