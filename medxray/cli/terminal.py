"""What reaches the terminal: medxray's own lines on standard error, nothing of the libraries below."""

import logging
import os
import re
import sys
import warnings

from medxray.errors import out_of_memory
from medxray.system import backend, progress
from medxray.system.control_characters import escaped
from medxray.system.native_stderr import cut_off_native_stderr

QUIET, VERBOSE = "quiet", "verbose"
PROGRAM = "program"  # what the contexts of a command hold that is called from a shell, not from Python
_LEVELS = {QUIET: logging.WARNING, VERBOSE: logging.DEBUG}  # of the logger, which also holds what was chosen
_LOGGER = logging.getLogger("medxray")
_READ_ERROR = re.compile(r"\bReadError: (.+)")  # TensorFlow quotes what its threads raise


def begin():
    """Let messages go to standard error, neither quiet nor verbose."""
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False
    if not _LOGGER.handlers:
        handler = _CurrentStderr()
        handler.setFormatter(_Lines())
        _LOGGER.addHandler(handler)


def choose(name):
    """Be QUIET or VERBOSE from now on."""
    _LOGGER.setLevel(_LEVELS[name])


def is_verbose():
    """Whether tracebacks and messages of the libraries are shown."""
    return _LOGGER.level == logging.DEBUG


def prepare():
    """Cut off what C++ code writes to standard error and what Python warns of; when verbose, let all of it through."""
    if is_verbose():
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = backend.TALKATIVE
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").propagate = False
    logging.getLogger("py.warnings").addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
    cut_off_native_stderr()


class _Lines(logging.Formatter):
    def format(self, record):
        text = super().format(record)
        text = f"Warning: {text}" if record.levelno >= logging.WARNING else text
        return f"[{record.relativeCreated / 1000:.1f} s] {text}" if is_verbose() else text

    def formatMessage(self, record):  # noqa: N802 (a name of logging)
        return "\n".join(map(escaped, super().formatMessage(record).split("\n")))  # tables have several lines


class _CurrentStderr(logging.Handler):
    """Writes to whatever sys.stderr is at the time, which `prepare` and others replace."""

    def emit(self, record):
        progress.wipe()
        print(self.format(record), file=sys.stderr)


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
    return f"Unexpected {type(error).__name__}: {first}. The same command with --verbose shows where it happened."
