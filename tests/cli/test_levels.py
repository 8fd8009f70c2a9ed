"""`--quiet` and `--verbose`: what they show and what they leave."""

import logging
import subprocess
import sys

import click
import pytest

from medxray.cli import terminal
from medxray.cli.command import Command, Group

log = logging.getLogger("medxray.test")


@pytest.fixture
def talk(medxray, monkeypatch):
    """Function (words): call a command that prints a result, logs at each level, and may fail."""
    from medxray.cli import cli

    @click.option("--fail", is_flag=True)
    def callback(fail):
        click.echo("result")
        log.debug("detail")
        log.info("message")
        log.warning("doubt")
        if fail:
            raise ValueError("reason")

    inner = Group("inner", commands=[Command("talk", callback=callback, params=callback.__click_params__)])
    monkeypatch.setitem(cli.commands, "inner", inner)
    return medxray


@pytest.mark.parametrize("words", [["-q", "inner", "talk"], ["inner", "--quiet", "talk"], ["inner", "talk", "-q"]])
def test_quiet_leaves_results_and_warnings_wherever_it_stands(talk, words):
    assert talk(*words) == (0, "result\n", "Warning: doubt\n")
    assert talk("inner", "talk") == (0, "result\n", "message\nWarning: doubt\n")


@pytest.mark.parametrize(
    "words", [["-v", "inner", "talk"], ["--debug", "inner", "talk"], ["inner", "-v", "talk"], ["inner", "talk", "-v"]]
)
def test_verbose_shows_details_with_the_time_and_results_as_they_are(talk, words):
    status, out, err = talk(*words)
    assert (status, out) == (0, "result\n")
    assert [line.partition(" s] ")[2] for line in err.splitlines()] == ["detail", "message", "Warning: doubt"]
    assert all(line.startswith("[") for line in err.splitlines())


def test_an_unexpected_error_has_a_traceback_with_verbose_alone(talk):
    status, _, err = talk("-q", "inner", "talk", "--fail")
    assert status == 1 and err.splitlines()[-1].startswith("Error: Unexpected ValueError: reason.")
    assert "Traceback" not in err and "with --verbose shows where" in err
    status, _, err = talk("inner", "talk", "--fail", "--verbose")
    assert status == 1 and 'raise ValueError("reason")' in err and err.splitlines()[-1].startswith("Error: ")


def test_both_are_a_usage_error(talk):
    status, out, err = talk("--quiet", "inner", "talk", "--verbose")
    assert (status, out, err) == (2, "", "Error: Give --quiet or --verbose, not both.\n")


def test_a_message_removes_the_line_of_progress_first(monkeypatch, capsys):
    monkeypatch.setattr(terminal.progress, "wipe", lambda: print("removed", file=sys.stderr))
    terminal.begin()
    log.info("message")
    assert capsys.readouterr().err == "removed\nmessage\n"


def test_verbose_lets_tensorflow_talk_and_names_the_files_that_are_written(tmp_path):
    code = (
        "import sys; sys.argv = ['medxray', '-v', 'models', 'shallow-cnn']; from medxray.cli import main\n"
        "import os; from medxray.system import storage; from medxray.cli import models\n"
        "level = lambda: print(os.environ['TF_CPP_MIN_LOG_LEVEL'])\n"
        "models.callback = lambda **words: (storage.write_text('a.txt', 'a'), level())\nmain()"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert answer.stdout == "0\n" and "Written: a.txt" in answer.stderr, answer.stderr
