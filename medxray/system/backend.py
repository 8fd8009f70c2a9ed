"""The one way TensorFlow is started: quietly, and only when a command needs it."""

import contextlib
import logging
import os
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


def load_tensorflow():
    """Import TensorFlow and Keras without their log lines and return `(tensorflow, keras)`.

    Call it first in every function that is an entry to TensorFlow code; later imports are free.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with native_stderr_silenced():
        import keras
        import tensorflow as tf
    tf.get_logger().setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
    return tf, keras
