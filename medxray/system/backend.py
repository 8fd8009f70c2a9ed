"""The one way TensorFlow is started: quietly, and only when a command needs it."""

import contextlib
import logging
import os

from medxray.system.native_stderr import native_stderr_silenced

TALKATIVE = "0"  # of TF_CPP_MIN_LOG_LEVEL: TensorFlow says all that it has to say


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
