"""Write the tables of options in docs/ from the fields of the configurations, and docs/cli.md from the commands.

python scripts/option_tables.py            # writes them
python scripts/option_tables.py --check    # only says whether they are up to date, exit status 1 where not
"""

import argparse
import inspect
import re
import sys
from pathlib import Path

import click

from medxray.anomaly.config import AnomalyConfig
from medxray.cli import cli
from medxray.cli.command import LEVELS
from medxray.training.config import TrainConfig
from medxray.training.options import default_text, option_name, options_of, owners_of

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = {"training.md": TrainConfig, "anomaly.md": AnomalyConfig}
COMMANDS_PAGE = "cli.md"
_ABOVE = """# Commands

`python scripts/option_tables.py` writes this page from the commands; `medxray COMMAND --help` shows the same.
Every command also has `--help`, `-q` or `--quiet`, and `-v` or `--verbose`. Output, exit statuses, completion and files
of options are described in [commandline.md](commandline.md).
"""
_BETWEEN = re.compile(r"(?<=<!-- options -->\n).*?(?=<!-- end of options -->)", re.DOTALL)


def options_table(config_class):
    """The options of a configuration as a Markdown table; with a column of methods where some have options alone."""
    variants = config_class.variants()
    owners = {name: ", ".join(owners_of(name, variants)) for name in options_of(config_class)}
    titles = ["option", "for", "what", "default"] if any(owners.values()) else ["option", "what", "default"]
    rows = [titles, ["---"] * len(titles)]
    for name, option in options_of(config_class).items():
        if option.hidden:
            continue
        text, _, told = option.help.removesuffix(".").partition(". Default: ")
        default = default_text(option, variants) or told
        cells = {"option": _written(option), "for": owners[name] or "all", "what": text, "default": default}
        rows.append([cells[title] for title in titles])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _written(option):
    name = option_name(option.name)
    if option.type is bool:
        off = name.replace("--", "--no-", 1)
        return f"`{name}/{off}`" if option.optional else f"`{off}`" if option.default else f"`{name}`"
    if option.choices is not None:
        return f"`{name}` " + ", ".join(f"`{choice}`" for choice in option.choices)
    return f"`{name}`"


def commands_page(root=cli):
    """docs/cli.md: each command with what it does, how it is called, examples, and its options."""
    return "\n".join([_ABOVE, *sections(root, None)])


def sections(group, above):
    """The sections of the commands of a group and of the groups inside of it.

    Args:
        group: Click's group.
        above: context of the group that holds it, or None.
    """
    context = click.Context(group, info_name="medxray" if above is None else group.name, parent=above)
    for command in group.commands.values():
        yield _section(command, click.Context(command, info_name=command.name, parent=context))
        if isinstance(command, click.Group):
            yield from sections(command, context)


def _section(command, context):
    usage = command.get_usage(context).removeprefix("Usage: ")
    parts = [f"## {context.command_path}", _text(inspect.cleandoc(command.help)), f"```text\n{usage}\n```"]
    parts.append("\n".join(["```", *command.examples, "```"]))
    options = [one for one in command.params if isinstance(one, click.Option) and one not in LEVELS and not one.hidden]
    if options:
        parts.append("\n".join(["| option | what |", "|---|---|", *(_row(one, context) for one in options)]))
    return "\n\n".join(parts) + "\n"


def _row(option, context):
    names = ", ".join(f"`{name}`" for name in option.opts[:-1])
    last = "/".join([option.opts[-1], *option.secondary_opts])
    value = "" if option.is_flag else f" {option.make_metavar(context).replace(' RANGE', '')}"
    written = f"{names}, `{last}{value}`" if names else f"`{last}{value}`"
    record = option.get_help_record(context)
    return f"| {_cell(written)} | {_cell(_text(record[1] if record else ''))} |"


def _cell(text):
    return " ".join(text.split()).replace("|", "\\|")


def _text(text):
    return text.replace("<", "\\<")


def page(name, text):
    """What docs/`name` is to hold, from what it holds now."""
    if name == COMMANDS_PAGE:
        return commands_page()
    table = options_table(PAGES[name])
    new, count = _BETWEEN.subn(lambda found: table, text)
    if count != 1:
        sys.exit(f"docs/{name} must have the lines <!-- options --> and <!-- end of options --> once.")
    return new


def main():
    """Write or check the pages."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 for a page that is old")
    check, old = parser.parse_args().check, []
    for name in (*PAGES, COMMANDS_PAGE):
        file = DOCS / name
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        new = page(name, text)
        if new != text:
            old.append(f"docs/{name}")
            if not check:
                file.write_text(new, encoding="utf-8")
    if check and old:
        sys.exit(f"{', '.join(old)}: not as the options and commands are. Run: python scripts/option_tables.py")


if __name__ == "__main__":
    main()
