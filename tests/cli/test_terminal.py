"""What is said about errors that medxray did not raise itself."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from medxray.cli import terminal
from medxray.errors import ReadError

ARRAY_TOO_LARGE = np._core._exceptions._ArrayMemoryError((1 << 40,), np.dtype(np.uint8))
OUT_OF_MEMORY = [MemoryError(), ARRAY_TOO_LARGE, tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: type(error).__name__)
def test_memory_that_runs_out_is_told_as_such_with_what_helps(error):
    line = terminal.unexpected(error)
    assert line.startswith("Out of memory. Name fewer files where the command takes several, close other programs, or")


def test_other_errors_of_tensorflow_are_not_told_as_memory():
    error = tf.errors.InvalidArgumentError(None, None, "shapes differ\nand more")
    assert terminal.unexpected(error).startswith(
        "Unexpected InvalidArgumentError: shapes differ. The same command with --verbose"
    )


def test_errors_of_files_name_the_place():
    assert terminal.unexpected(FileNotFoundError(2, "No such file", "a/b")).startswith("No such file: a/b. Check the")


def test_what_a_thread_of_tensorflow_could_not_read_is_told_with_its_path_alone():
    def read(row):
        raise ReadError("a/b.png: it cannot be read now: Input/output error.")

    rows = tf.data.Dataset.range(1).map(lambda row: tf.numpy_function(read, [row], tf.uint8))
    with pytest.raises(tf.errors.OpError) as caught:
        list(rows)
    assert terminal.unexpected(caught.value) == "a/b.png: it cannot be read now: Input/output error."


@pytest.mark.parametrize("words", [["gradcam", "x.png"], ["anomaly", "map", "x.png"]], ids=" ".join)
def test_commands_that_run_out_of_memory_end_with_that_line(medxray, monkeypatch, words):
    def run_out(path):
        raise OUT_OF_MEMORY[-1]

    monkeypatch.setattr("medxray.api.load_run", run_out)
    status, _, err = medxray(*words)
    assert status == 1 and err.startswith("Error: Out of memory. Name fewer files") and len(err.splitlines()) == 1


def test_names_that_would_steer_the_terminal_are_escaped_in_lines_and_errors(medxray, tmp_path):
    folder = tmp_path / "a\nb\x1b[2J"
    folder.mkdir()
    (folder / "broken\n.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    status, out, err = medxray("data", "inspect", str(folder))
    assert status == 1 and r"a\nb\x1b[2J" in err
    assert "\x1b" not in out + err and len(err.splitlines()) == 1


def test_tables_in_the_log_keep_their_lines_and_lose_what_steers_the_terminal(medxray, capsys):
    medxray("cache", "list")
    capsys.readouterr()
    logging.getLogger("medxray").info("%s", "Split  NORMAL\ntrain  a\x1b[2J")
    assert capsys.readouterr().err == "Split  NORMAL\ntrain  a\\x1b[2J\n"
