"""What every command and group has: examples in its help, `--quiet` and `--verbose`, and names that are suggested."""

import click

from medxray.cli import terminal
from medxray.system.spelling import did_you_mean

_LEVEL = "medxray.level"  # key of what a context and those inside of it share


def choose_level(context, parameter, given):
    """Callback of the flags that are called like a level of `terminal`."""
    if given and context.meta.setdefault(_LEVEL, parameter.name) != parameter.name:
        raise click.UsageError(f"Give --{terminal.QUIET} or --{terminal.VERBOSE}, not both.")


def _level_option(name, text):
    return click.Option(
        [f"-{name[0]}", f"--{name}"], is_flag=True, is_eager=True, expose_value=False, callback=choose_level, help=text
    )


LEVELS = (
    _level_option(terminal.QUIET, "Show results, warnings and errors alone."),
    _level_option(terminal.VERBOSE, "Also show files written, the libraries' own messages, and tracebacks."),
)


class _Helped:
    """What commands and groups have in common.

    Args:
        examples: calls that its `--help` shows, as one types them.
        words, settings: as of Click.
    """

    def __init__(self, *words, examples=(), **settings):
        super().__init__(*words, **settings)
        self.examples = tuple(examples)
        self.params += LEVELS

    def invoke(self, ctx):
        """Run it, as quiet or verbose as is wanted; the program silences the libraries below before a command."""
        if _LEVEL in ctx.meta:
            terminal.choose(ctx.meta[_LEVEL])
        if ctx.obj is terminal.PROGRAM and not isinstance(self, click.Group):
            terminal.prepare()
        return super().invoke(ctx)

    def format_epilog(self, ctx, formatter):
        """Write the examples below the options."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


class Command(_Helped, click.Command):
    """A command of medxray."""


class Group(_Helped, click.Group):
    """A group of commands; a mistyped name of one is answered with the name that is like it."""

    command_class = Command
    group_class = type  # groups inside of this one are of its own class

    def resolve_command(self, ctx, args):
        """The command that the first word names, or a usage error."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"There is no command '{args[0]}'.{did_you_mean(args[0], self.commands)}", ctx)
        return super().resolve_command(ctx, args)


def command(name=None, *, examples):
    """Decorator that makes a function a command; `examples` are calls that its help shows."""
    return click.command(name, cls=Command, examples=examples)


def group(name=None, *, examples, **settings):
    """Decorator that makes a function a group of commands; `examples` are calls that its help shows."""
    return click.group(name, cls=Group, examples=examples, **settings)
