"""Every command has examples that it takes, and says what is quiet and what is verbose."""

import click
import pytest

from medxray.cli import cli
from medxray.cli.command import LEVELS, Command, Group
from tests.test_doc_commands import call_problem, resolve


def walk(command=cli, name="medxray"):
    """(name, command) of every command and group."""
    yield name, command
    for child, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, f"{name} {child}")


each = pytest.mark.parametrize(("name", "command"), list(walk()), ids=[name for name, _ in walk()])


@each
def test_every_command_has_one_or_two_examples_that_it_takes(name, command):
    assert 1 <= len(command.examples) <= 2
    for example in command.examples:
        words = example.partition(" > ")[0].split()
        assert example.startswith(name), example
        named, rest = resolve(words[1:])
        assert named is command or isinstance(command, Group)
        assert not isinstance(named, click.Group) or getattr(named, "invoke_without_command", False)
        assert call_problem(words[1:], whole=True) is None, example


@each
def test_help_ends_with_the_examples(name, command):
    text = command.get_help(click.Context(command, info_name=name))
    assert text.endswith("Examples:\n" + "\n".join(f"  {example}" for example in command.examples))


@each
def test_every_command_can_be_quiet_and_verbose(name, command):
    assert isinstance(command, (Command, Group))
    assert [option for option in command.params if option in LEVELS] == list(LEVELS)
    texts = [text for option in command.params for text in (*option.opts, *option.secondary_opts)]
    assert len(texts) == len(set(texts)), "two options are written alike"
