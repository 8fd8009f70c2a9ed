"""Every command that stands in README or docs is one that its own parser takes, with its options and arguments."""

import contextlib
import importlib.util
import io
import itertools
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from medxray.cli import cli
from medxray.errors import MedxrayError

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.S | re.M)


@dataclass(frozen=True)
class Command:
    """A command as a page writes it; `whole` in a block of code, else a mention, which may leave arguments out."""

    line: int
    text: str
    whole: bool


def commands_of(text):
    """The commands of a page, in no order."""
    variables = dict(re.findall(r'^(\w+)="(.*)"$', text, re.M))
    for name, value in variables.items():
        text = re.sub(rf"\${name}\b", value, text)
    yield from (command for block in FENCE.finditer(text) if block[1] in ("", "sh") for command in _of_block(block))
    prose = FENCE.sub(lambda block: "\n" * block[0].count("\n"), text)
    for span in re.finditer(r"`([^`]+)`", prose):
        words = " ".join(span[1].split())
        if is_command(words):
            yield Command(prose[: span.start()].count("\n") + 1, words, whole=False)


def _of_block(block):
    first = block.string[: block.start()].count("\n") + 2
    prompt = any(line.startswith("$ ") for line in block[2].splitlines())
    lines = enumerate(block[2].splitlines(), first)
    for number, line in lines:
        while line.endswith("\\"):
            line = line[:-1] + next(lines)[1]
        text = line.removeprefix("$ ").strip()
        if (line.startswith("$ ") or not prompt) and is_command(text):
            yield Command(number, text, whole=True)


def is_command(text):
    """Whether a text calls medxray or a script, or gives options: `predict --json`, `--views 0`, `embed extract`."""
    first, *rest = text.split()
    if first in ("medxray", "python"):
        return bool(rest) and (first == "medxray" or rest[0].startswith("scripts/"))
    if re.match(r"--\w|scripts/\w", first):
        return True
    inner = getattr(cli.commands.get(first), "commands", {})
    return first in cli.commands and bool(rest) and (rest[0].startswith("--") or rest[0] in inner)


def problem_of(command, named):
    """Why a command cannot be called as it stands, or None.

    Args:
        command: Command.
        named: the commands and scripts (tuples of words) that the page names; a lone option must belong to one.
    """
    for words in alternatives(command.text):
        if words[0] == "python" or words[0].startswith("scripts/"):
            problem = script_problem(words[words[0] == "python" :])
        elif words[0].startswith("--"):
            takes = any(takes_option(name, words) for name in sorted(named))
            problem = None if takes else f"no command that the page names takes {' '.join(words)}"
        else:
            problem = call_problem(words[words[0] == "medxray" :], whole=command.whole)
        if problem:
            return problem
    return None


def takes_option(name, words):
    """Whether a command of medxray or a script (as a tuple of words) takes an option, given with a value or without."""
    if name[0].startswith("scripts/"):
        return f'"{words[0]}"' in ROOT.joinpath(name[0]).read_text(encoding="utf-8")
    return call_problem([*name, *words], whole=False) is None


def alternatives(text):
    """The calls that one text stands for: `--gate warn|off` is two; brackets, `...` and `> FILE` are no part of any."""
    text = text.partition(" > ")[0]
    words = [word.removeprefix("[").removesuffix("]") for word in shlex.split(text, comments=True)]
    choices = (re.split(r"\||/(?=--)", word) for word in words if word != "...")
    return [list(call) for call in itertools.product(*choices)]


def call_problem(words, *, whole):
    """Why Click refuses a call of medxray, or None."""
    try:
        command, rest = resolve(words)
        if rest or not isinstance(command, click.Group):
            parse(command, fill_placeholders(command, rest), whole=whole)
    except click.exceptions.Exit:  # --help
        return None
    except (click.ClickException, MedxrayError) as error:
        return error.format_message() if isinstance(error, click.ClickException) else str(error)
    return None


def resolve(words):
    """The command that a call names, or the group where it stops there, and the other words."""
    command, rest = (
        cli,
        [word for word in words if word not in ("--debug", "--quiet", "--verbose", "--version", "--help")],
    )
    if rest == ["COMMAND"]:
        return cli, []
    while rest and isinstance(command, click.Group) and not rest[0].startswith("-"):
        name = rest.pop(0)
        if name not in command.commands:
            raise click.UsageError(f"There is no command '{name}'.")
        command = command.commands[name]
    return command, rest


def fill_placeholders(command, words):
    """The words with a value in place of a name such as N or PX after an option that takes no text."""
    filled = list(words)
    for at, (before, word) in enumerate(itertools.pairwise(words), 1):
        option = option_of(command, before)
        if option and not option.is_flag and PLACEHOLDER.fullmatch(word):
            filled[at] = sample(option) if sample(option) != "a=B" else word
    tables = [one for one in command.params if isinstance(one, click.Argument) and isinstance(one.type, click.Choice)]
    return [sample(tables[0]) if tables and PLACEHOLDER.fullmatch(word) else word for word in filled]


def option_of(command, word):
    """The option that is written so, or None."""
    return next(
        (one for one in command.params if word.startswith("-") and word in (*one.opts, *one.secondary_opts)), None
    )


def sample(option):
    """A value that an option takes."""
    if isinstance(option.type, click.Choice):
        return str(next(iter(option.type.choices)))
    if isinstance(option.type, click.IntRange):
        return str(max(1, option.type.min or 1))
    kinds = {"integer": "1", "float": "0.5", "float range": "0.5"}
    return kinds.get(option.type.name.partition("|")[0], "a=B")


def parse(command, words, *, whole):
    """Parse a call as Click does before it runs the command; a mention may lack what is required, and a last value."""
    try:
        command.make_context(command.name, list(words))
    except click.MissingParameter as missing:
        if whole:
            raise
        option = missing.param if isinstance(missing.param, click.Option) else None
        value = sample(missing.param)
        more = [option.opts[0], value] if option else [value if value != "a=B" else "file.png"]
        parse(command, [*words, *more], whole=whole)
    except click.BadOptionUsage:
        option = option_of(command, words[-1]) if words else None
        if whole or option is None or option.is_flag:
            raise
        parse(command, [*words, sample(option)], whole=whole)


def script_problem(words):
    """Why a script refuses a call, or None; of a script without a parser, whether it names the options."""
    path = ROOT / words[0]
    if not path.is_file():
        return f"there is no {words[0]}"
    text = "".join(file.read_text(encoding="utf-8") for file in {path, path.with_suffix(".py")} if file.is_file())
    if len(words) == 1 or "def options()" not in text:
        unknown = [word for word in words[1:] if word.startswith("--") and f'"{word}"' not in text]
        return f"{words[0]} knows no {unknown[0]}" if unknown else None
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(io.StringIO()) as said:
        patch.syspath_prepend(path.parent)
        patch.setattr(sys, "argv", words)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        try:
            module.options()
        except SystemExit:
            return said.getvalue().strip().splitlines()[-1]
    return None


def names_in(commands):
    """The commands of medxray and the Python scripts that a page names, as tuples of words."""
    calls = [words[words[0] in ("medxray", "python") :] for one in commands for words in alternatives(one.text)]
    known = [name for name, _ in every_command()]
    named = {name for name in known for words in calls if tuple(words[: len(name)]) == name}
    return named | {(words[0],) for words in calls if words and words[0].endswith(".py")}


def every_command(group=cli, before=()):
    """(words, command) of each command that is no group."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, (*before, name))
        else:
            yield (*before, name), command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_of_a_page_can_be_called_as_it_stands(page):
    commands = list(commands_of(page.read_text(encoding="utf-8")))
    named = names_in(commands)
    problems = [(command, problem_of(command, named)) for command in commands]
    where = page.relative_to(ROOT).as_posix()
    assert [f"{where}:{one.line}: {one.text}: {why}" for one, why in problems if why] == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("medxray gradcam scan.png --neighbors 5", "No such option"),
        ("medxray predict", "Missing argument"),
        ("medxray evaluate runs/a runs/b", "unexpected extra argument"),
        ("medxray predict scan.png --gate strict", "is not one of"),
        ("medxray predict scan.png --neighbors many", "is not a valid integer"),
        ("medxray embed draw a.npz", "There is no command 'draw'"),
        ("medxray train --label-map NORMAL --epochs", "requires an argument"),
        ("python scripts/choose_patches.py --seed 1", "required"),
        ("python scripts/gone.py --seed 1", "there is no scripts/gone.py"),
    ],
)
def test_a_command_that_cannot_be_called_is_found_with_its_line(line, message):
    (command,) = commands_of(f"Text.\n\n```\n$ {line}\noutput\n```\n")
    assert command.line == 4
    assert message in problem_of(command, set())


def test_a_mention_may_leave_arguments_out_and_a_lone_option_belongs_to_a_command_of_the_page():
    page = (
        "`medxray predict`, `predict --neighbors`, `--gate warn|refuse`, `data phantom DIR [--patients N]`, `--layer`"
    )
    commands = list(commands_of(page))
    assert [problem_of(command, names_in(commands)) for command in commands[:-1]] == [None] * 4
    assert problem_of(commands[-1], names_in(commands)) == "no command that the page names takes --layer"
