"""What C++ libraries write to standard error behind the back of Python. No TensorFlow."""

import contextlib
import faulthandler
import os
import sys
import tempfile


@contextlib.contextmanager
def native_stderr_silenced():
    """Send what C++ libraries write to file descriptor 2 to nowhere for the time of the block.

    TensorFlow writes start-up lines there before any log level can be set. Errors are not lost:
    when the block raises, what was caught is written back.
    """
    with tempfile.TemporaryFile() as caught:
        saved = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            yield
        except BaseException:
            caught.seek(0)
            os.write(saved, caught.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def cut_off_native_stderr():
    """Send what C++ code writes to file descriptor 2 to nowhere from now on, and tell Python of it.

    Python's own standard error goes on to where it went, through a duplicate of the descriptor, and a crash in C++ code
    still leaves its Python stack there.
    """
    sys.stderr.flush()
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    faulthandler.enable(file=sys.stderr)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
