"""Options that several commands share."""

import click

from medxray.cli.types import PATH, RUN, Choice, NamedPath, Names
from medxray.explain.methods import GRADCAM, METHODS
from medxray.training.option_groups import CSV_OPTIONS, DataOptions
from medxray.training.options import options_of

DEFAULT_RUN = "runs/latest"

run_argument = click.argument("run", metavar="RUN", type=RUN)


def images_argument(required):
    """Files, folders and glob patterns; those that cannot be read are listed by the command, with their reasons."""
    return click.argument("paths", nargs=-1, required=required, type=NamedPath(readable=False))


model_option = click.option(
    "--model",
    "model",
    type=RUN,
    default=DEFAULT_RUN,
    show_default=True,
    metavar="RUN",
    help="Run directory, or the model.keras in it.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value on standard output.")


def method_option(*, several=False):
    """`--method` of heatmaps: one name, or several with commas between them; see `explain.checks.usual_method`."""
    metavar, words = ("NAME[,NAME...]", "Of: {}; or all.") if several else ("NAME", "One of: {}.")
    usual = f" Default: {GRADCAM}; where `explain evaluate` found that it fails on the run, one that passes."
    help_text = words.format(", ".join(METHODS)) + usual
    return click.option("--method", type=Names(METHODS), metavar=metavar, help=help_text)


def _settings(context, parameter, texts):
    return tuple(_setting(text) for text in texts)


def _setting(text):
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.UsageError(f"--set must be NAME=VALUE. Received '{text}'.")
    return name, value


settings_option = click.option(
    "--set",
    "options",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_settings,
    help="Option of the method; may be repeated.",
)


def _label_map(context, parameter, text):
    from medxray.data.layouts.labels import parse_label_map

    return parse_label_map(text)


label_map_option = click.option(
    "--label-map",
    callback=_label_map,
    metavar="a=B,...",
    help="Labels of the data, and the classes they mean.",
)


def check_data_options(data, **given):
    """Raise UsageError for an option (name -> value) that says how `--data` is read, where there is no `--data`."""
    for name in [name for name, value in given.items() if value is not None and data is None]:
        raise click.UsageError(f"--{name.replace('_', '-')} says how --data is read. Give --data too, or leave it out.")


_exclude_known_option = click.option(
    "--exclude-known",
    is_flag=True,
    default=None,
    help="Leave out other files of patients and pictures that the run was trained on; identical files always are.",
)


def _count_only(context, parameter, wanted):
    from medxray.data.left_out import show_names

    show_names(not wanted)
    context.call_on_close(lambda: show_names(True))
    return wanted


def _count_only_option(text, **settings):
    return click.option("--ignore-unreadable", is_flag=True, callback=_count_only, help=text, **settings)


ignore_unreadable_option = _count_only_option("Only count files that cannot be read, and end with status 0.")
_count_left_out_option = _count_only_option(
    "Only count files that are left out, without their names.", expose_value=False
)


def column_options(command):
    """Add the options that say how a CSV is read."""
    options = options_of(DataOptions)
    for name in reversed(CSV_OPTIONS):
        field = options[name]
        kind = {"type": Choice(field.choices)} if field.choices else {"type": PATH if field.path else str}
        command = click.option(f"--{name.replace('_', '-')}", metavar=field.metavar, help=field.help, **kind)(command)
    return command


def other_data_options(command):
    """Add the options that say how `--data` of another place is read and what of it is left out."""
    for option in (_count_left_out_option, _exclude_known_option, column_options, label_map_option):
        command = option(command)
    return command


def split_options(command):
    """`--data` and `--split` of commands that look at a split of a run, or at other data."""
    split = click.option(
        "--split",
        type=Choice(("train", "val", "test")),
        default="test",
        show_default=True,
        help="Which split; data without splits is taken whole.",
    )
    return click.option("--data", type=PATH, help="Another folder or CSV; default: the run's own split.")(
        split(command)
    )


def sample_options(images):
    """`--images` and `--seed` of commands that look at a sample of images, `images` by default."""

    def decorate(command):
        seed = click.option(
            "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the sample and all draws."
        )
        count = click.option(
            "--images",
            type=click.IntRange(min=2),
            default=images,
            show_default=True,
            help="Images at most, as many of each class as there are.",
        )
        return count(seed(command))

    return decorate
