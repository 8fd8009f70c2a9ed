"""The options of the commands that train: one per field of their configuration."""

import functools

import click

from medxray.cli.command import command
from medxray.cli.report import report_after_training
from medxray.cli.types import PATH, RUN, Choice, NameOrPath, NumberOr
from medxray.tracking.installed import TRACKING
from medxray.training.options import help_text, options_of


def config_options(config_class, names=None):
    """Decorator that adds an option for each field of a RunConfig class; what is not given stays None.

    Args:
        config_class: subclass of training.config.RunConfig.
        names: of the fields that become options; None: all.
    """
    variants = config_class.variants()

    def decorate(command):
        options = options_of(config_class)
        for option in reversed([options[name] for name in names or options]):
            command = _click_option(option, help_text(option, variants))(command)
        return command

    return decorate


def untracked_options(config_class):
    """`config_options` of commands that train nothing which stays, and so have nothing to track."""
    return config_options(config_class, [name for name in options_of(config_class) if name not in TRACKING])


def _click_option(option, text):
    """A training.options.Option as an option of click."""
    name = option.name.replace("_", "-")
    if option.type is not bool:
        kind = _click_type(option)
        return click.option(f"--{name}", type=kind, default=None, metavar=option.metavar, help=text)
    if option.default is True:
        return click.option(f"--no-{name}", option.name, flag_value=False, default=None, type=bool, help=text)
    if option.optional:
        return click.option(f"--{name}/--no-{name}", default=None, help=text)
    return click.option(f"--{name}", is_flag=True, default=None, help=text, hidden=option.hidden)


def _click_type(option):
    if option.path:
        return PATH
    if option.names is not None and option.choices is None:
        return NameOrPath(option.names)
    if option.word is not None:
        return NumberOr(option.word)
    return Choice(option.choices) if option.choices is not None and option.type is str else option.type


def configuration(config_class, config_file, given):
    """The checked configuration from a TOML file, or None, and the options given on the command line."""
    from medxray.training.config import config_from_dict, read_config_file

    from_file = read_config_file(config_file, kind=config_class) if config_file else {}
    config = config_from_dict({**from_file, **given}, source="the command line", kind=config_class)
    config.resolved()
    return config


def train_command(config_class, *, examples, **further):
    """Decorator that makes a function (config, resume, ...) a command with the options of a RunConfig class.

    The function is called with the checked configuration, or with the name of the run to resume.

    Args:
        config_class: subclass of training.config.RunConfig.
        examples: calls that its help shows.
        **further: name of a further argument of the function -> option of click.
    """

    def decorate(function):
        @functools.wraps(function)
        def body(config_file, resume, **options):
            given = {name: value for name, value in options.items() if value is not None}
            if resume and (given or config_file):
                raise click.UsageError("--resume takes no other option: the run knows its configuration.")
            own = {name: given.pop(name, None) for name in further}
            return function(None if resume else configuration(config_class, config_file, given), resume, **own)

        for option in reversed(
            (
                config_options(config_class),
                *further.values(),
                click.option("--config", "config_file", type=PATH, help="TOML file with any of these options."),
                click.option(
                    "--resume", type=RUN, metavar="RUN", help="Go on with an interrupted run; takes no other option."
                ),
            )
        ):
            body = option(body)
        return command(examples=examples)(body)

    return decorate


def train_and_report(config, resume):
    """Train or resume a run and print its figures; the body of the commands that train."""
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.cli.summary import summary_lines
    from medxray.system import storage

    run = api.resume(resume) if resume else api.train(config)
    splits = storage.read_json(run.directory.metrics_file)["splits"]
    for line in summary_lines(splits, further=run.kind.figures):
        click.echo(line)
    click.echo(f"Run: {run.path}")
    report_after_training(run.path)
    if "export" in run.record:
        click.echo(f"SavedModel: {run.record['export']}")
