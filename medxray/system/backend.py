"""The one way TensorFlow is started: quietly, and only when a command needs it."""

import contextlib
import faulthandler
import logging
import os
import sys
import tempfile

TALKATIVE = "0"  # of TF_CPP_MIN_LOG_LEVEL: TensorFlow says all that it has to say


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


def load_tensorflow():
    """Import TensorFlow and Keras and return `(tensorflow, keras)`.

    Call it first in every function that is an entry to TensorFlow code; later imports are free. What they log is not
    shown, unless TF_CPP_MIN_LOG_LEVEL is TALKATIVE.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    talks = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == TALKATIVE
    with contextlib.nullcontext() if talks else native_stderr_silenced():
        import keras
        import tensorflow as tf
    if not talks:
        tf.get_logger().setLevel(logging.ERROR)
        logging.getLogger("absl").setLevel(logging.ERROR)
    return tf, keras


def device_name():
    """The names of the GPUs that TensorFlow sees, else CPU with the number of its cores."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
    return ", ".join(names) or f"CPU, {os.cpu_count()} cores"
