"""`medxray runs`, `medxray runs rm`, `medxray runs prune`."""

import click

from medxray.cli.command import group
from medxray.cli.options import PATH, json_option
from medxray.cli.types import RUN

_runs_dir = click.option("--runs-dir", type=PATH, default="runs", show_default=True, help="Folder of the runs.")
_FIGURES = ("auroc", "balanced_accuracy")
_yes = click.option("--yes", is_flag=True, help="Remove without asking.")


@group(invoke_without_command=True, examples=["medxray runs", "medxray runs --json"])
@_runs_dir
@json_option
@click.pass_context
def runs(context, runs_dir, as_json):
    """List runs: state, what was trained on which data, test figures, size. `rm` and `prune` remove some."""
    if context.invoked_subcommand:
        if as_json or context.get_parameter_source("runs_dir").name != "DEFAULT":
            raise click.UsageError(
                f"Options of a subcommand stand behind its name: medxray runs {context.invoked_subcommand}."
            )
        return
    from medxray.runs.listing import listed_runs

    rows = [run.to_dict() for run in listed_runs(runs_dir)]
    if as_json:
        import json

        click.echo(json.dumps(rows, indent=2, allow_nan=False))
    else:
        _print(rows)


def _print(rows):
    from medxray.cli.summary import aligned
    from medxray.metrics.intervals import estimate_text
    from medxray.system.storage import size_text

    header = ["run", "state", "created", "what", "test AUROC", "balanced accuracy", "size", "data"]
    cells = [
        [
            row["name"],
            row["state"],
            (row["created"] or "-")[:16].replace("T", " "),
            row["what"] or "-",
            *("-" if row[name] is None else estimate_text(row[name], undefined="-") for name in _FIGURES),
            size_text(row["bytes"]),
            row["data"] or "-",
        ]
        for row in rows
    ]
    for line in aligned([header, *cells], left=(0, 1, 2, 3, 7)):
        click.echo(line.rstrip())
    click.echo(f"{len(rows)} run{'' if len(rows) == 1 else 's'}")


@runs.command(examples=["medxray runs rm runs/vgg16-finetune-2"])
@click.argument("names", metavar="RUN...", nargs=-1, required=True, type=RUN)
@_yes
def rm(names, yes):
    """Remove runs, studies with all their runs, and searches of `tune`, after a question. SavedModels stay."""
    from medxray.runs.listing import open_listed

    _remove([open_listed(name) for name in names], yes)


@runs.command(examples=["medxray runs prune --yes"])
@_runs_dir
@_yes
def prune(runs_dir, yes):
    """Remove failed and interrupted runs, after a question. Searches of `tune` stay."""
    from medxray.runs.listing import UNFINISHED, listed_runs

    found = [run.directory for run in listed_runs(runs_dir) if run.is_run and run.state in UNFINISHED]
    if not found:
        click.echo(f"No failed or interrupted run in {runs_dir}.")
        return
    _remove(found, yes)


def _remove(directories, yes):
    from medxray.runs.listing import remove, state_text

    for directory in directories:
        click.echo(f"{directory.path} ({state_text(directory)})")
    count = len(directories)
    if not yes:
        click.confirm(f"Remove {'this run' if count == 1 else f'these {count} runs'}?", abort=True)
    remove(directories)
    click.echo(f"Removed {count} run{'' if count == 1 else 's'}.")
