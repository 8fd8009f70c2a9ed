"""What reaches the terminal: medxray's own lines on standard error, nothing of the libraries below."""

import logging
import os
import sys
import warnings

from medxray.system import backend


def prepare(debug):
    """Set up logging; without `debug`, cut off what C++ code writes to standard error and what Python warns of."""
    _log_to_stderr()
    if debug:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").propagate = False
    logging.getLogger("py.warnings").addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
    backend.cut_off_native_stderr()


class _Lines(logging.Formatter):
    def format(self, record):
        text = super().format(record)
        return f"Warning: {text}" if record.levelno >= logging.WARNING else text


class _CurrentStderr(logging.Handler):
    """Writes to whatever sys.stderr is at the time, which tests and `prepare` replace."""

    def emit(self, record):
        print(self.format(record), file=sys.stderr)


def _log_to_stderr():
    logger = logging.getLogger("medxray")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if not logger.handlers:
        handler = _CurrentStderr()
        handler.setFormatter(_Lines())
        logger.addHandler(handler)


def unexpected(error):
    """One line for an error that medxray did not raise itself."""
    if _out_of_memory(error):
        return (
            "Out of memory. Name fewer files where the command takes several, close other programs, or use a machine "
            "with more memory."
        )
    if isinstance(error, OSError):
        place = f" {error.filename}" if error.filename else ""
        return f"{error.strerror or error}:{place}. Check the path, its permissions and the free disk space."
    first = (str(error).strip().splitlines() or [""])[0][:200]
    return f"Unexpected {type(error).__name__}: {first}. `medxray --debug COMMAND` shows where it happened."


def _out_of_memory(error):
    """Whether Python or TensorFlow ran out of memory; TensorFlow's error is known by name, without importing it."""
    return isinstance(error, MemoryError) or "ResourceExhaustedError" in [kind.__name__ for kind in type(error).__mro__]
