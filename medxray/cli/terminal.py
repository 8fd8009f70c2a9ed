"""What reaches the terminal: medxray's own lines on standard error, nothing of the libraries below."""

import logging
import os
import re
import sys
import warnings

from medxray.errors import out_of_memory
from medxray.system import backend
from medxray.system.control_characters import escaped

_READ_ERROR = re.compile(r"\bReadError: (.+)")  # TensorFlow quotes what its threads raise


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

    def formatMessage(self, record):  # noqa: N802 (a name of logging)
        return "\n".join(map(escaped, super().formatMessage(record).split("\n")))  # tables have several lines


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
    if out_of_memory(error):
        return (
            "Out of memory. Name fewer files where the command takes several, close other programs, or use a machine "
            "with more memory."
        )
    quoted = _READ_ERROR.search(str(error))
    if quoted:
        return quoted[1]
    if isinstance(error, OSError):
        place = f" {error.filename}" if error.filename else ""
        return f"{error.strerror or error}:{place}. Check the path, its permissions and the free disk space."
    first = (str(error).strip().splitlines() or [""])[0][:200]
    return f"Unexpected {type(error).__name__}: {first}. `medxray --debug COMMAND` shows where it happened."
