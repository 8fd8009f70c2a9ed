"""The types of arguments and options: how they are checked, and what a shell completes."""

import os

import click
from click.shell_completion import CompletionItem

from medxray.runs.names import names_in
from medxray.system.spelling import did_you_mean


class NamedPath(click.Path):
    """A path as text, usage error where it is empty: `Path("")` would be the current folder."""

    def convert(self, value, param, ctx):
        """The path, or a usage error."""
        if value == "":
            self.fail("An empty name was given, perhaps from a variable that is not set.", param, ctx)
        return super().convert(value, param, ctx)


class RunPath(NamedPath):
    """The path of a run; a shell completes the runs in `runs/`, by path and by bare name, and other folders.

    Args:
        files: whether it may be another file instead, which a shell completes too.
    """

    def __init__(self, *, files=False):
        super().__init__()
        self._others = "file" if files else "dir"

    def shell_complete(self, ctx, param, incomplete):
        """The runs whose path or name begins so, and what else the shell is to look for."""
        folder = os.path.dirname(incomplete)
        place = folder or ctx.params.get("runs_dir") or "runs"
        paths = {os.path.join(place, name): name for name in names_in(place)}
        found = [path for path, name in paths.items() if path.startswith(incomplete) or name.startswith(incomplete)]
        return [CompletionItem(incomplete, type=self._others), *map(CompletionItem, found)]


class Choice(click.Choice):
    """One of the names of a table; a mistyped one is answered with the name that is like it.

    Args:
        names: collection of str; a row that is added to a table later counts.
    """

    def __init__(self, names):
        super().__init__(names)
        self.choices = names

    def get_invalid_choice_message(self, value, ctx):
        """What is said of another name."""
        return super().get_invalid_choice_message(value, ctx) + did_you_mean(value, self.choices)


class Names(click.ParamType):
    """Names of a table, with commas between them, which the command takes apart; a shell completes the last one.

    Args:
        names: collection of str.
    """

    name = "text"

    def __init__(self, names):
        self._names = names

    def shell_complete(self, ctx, param, incomplete):
        """The names that may stand behind the last comma."""
        before, comma, begun = incomplete.rpartition(",")
        given = before.split(",")
        names = [name for name in self._names if name.startswith(begun) and name not in given]
        return [CompletionItem(before + comma + name) for name in names]


class NameOrPath(NamedPath):
    """A path, or a name instead of it; a shell completes both.

    Args:
        names: collection of str.
    """

    def __init__(self, names):
        super().__init__()
        self._names = names

    def get_metavar(self, param, ctx):
        """What its help calls the value."""
        return "NAME|FILE"

    def shell_complete(self, ctx, param, incomplete):
        """The names that begin so, and files."""
        found = [CompletionItem(name) for name in self._names if name.startswith(incomplete)]
        return [*super().shell_complete(ctx, param, incomplete), *found]


class NumberOr(click.ParamType):
    """A number, or one word instead of it."""

    def __init__(self, word):
        self.word, self.name = word, f"float|{word}"

    def convert(self, value, param, ctx):
        """The number or the word, or a usage error."""
        if value == self.word:
            return value
        try:
            return float(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor '{self.word}'.{did_you_mean(value, [self.word])}", param, ctx)


PATH = NamedPath()
RUN = RunPath()
