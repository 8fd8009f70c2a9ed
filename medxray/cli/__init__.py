"""The command line. Command modules import nothing heavy; TensorFlow starts inside the command that needs it."""

import logging
import sys

import click

from medxray.cli import command, terminal
from medxray.cli.adapt import adapt
from medxray.cli.anomaly import anomaly
from medxray.cli.cache import cache
from medxray.cli.compare import compare
from medxray.cli.config import config
from medxray.cli.data import data
from medxray.cli.doctor import doctor
from medxray.cli.embed import embed
from medxray.cli.ensemble import ensemble
from medxray.cli.evaluate import evaluate
from medxray.cli.explain import explain, gradcam, occlusion
from medxray.cli.export import export
from medxray.cli.gate import gate
from medxray.cli.lr_find import lr_find
from medxray.cli.models import models
from medxray.cli.plot import plot
from medxray.cli.predict import predict
from medxray.cli.report import report
from medxray.cli.runs import runs
from medxray.cli.train import train
from medxray.cli.tune import tune
from medxray.cli.unsure import unsure
from medxray.cli.video import video
from medxray.cli.weights import weights
from medxray.data.left_out import show_names
from medxray.errors import ConfigError, MedxrayError
from medxray.system.control_characters import escaped
from medxray.version import __version__

_EXAMPLES = ("medxray data inspect data/chest_xray", "medxray train --data data/chest_xray")
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@command.group(examples=_EXAMPLES, context_settings=_SETTINGS)
@click.version_option(__version__, message="medxray %(version)s")
@click.option(
    "--debug",
    terminal.VERBOSE,
    is_flag=True,
    expose_value=False,
    hidden=True,
    callback=command.choose_level,
    help="Of version 0.1: --verbose.",
)
def cli():
    """Train, evaluate, explain and export classifiers of chest X-rays.

    Research software. --quiet and --verbose may stand before or behind a command.
    """
    show_names(True)


COMPLETE = "_MEDXRAY_COMPLETE"  # variable by which shells ask for completions

for _command in (
    train,
    lr_find,
    tune,
    evaluate,
    compare,
    adapt,
    ensemble,
    report,
    plot,
    video,
    runs,
    predict,
    explain,
    gradcam,
    occlusion,
    anomaly,
    embed,
    export,
    gate,
    unsure,
    data,
    models,
    weights,
    cache,
    config,
    doctor,
):
    cli.add_command(_command)


def main():
    """Entry point: one line and exit status 1 for errors of medxray, 2 for impossible options, 130 for Ctrl-C."""
    terminal.begin()
    try:
        status = cli.main(prog_name="medxray", complete_var=COMPLETE, standalone_mode=False, obj=terminal.PROGRAM)
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show(file=sys.stderr)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _end(" ".join(error.format_message().split()), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except MedxrayError as error:
        _end(str(error), 2 if isinstance(error, ConfigError) else 1, traceback=True)
    except Exception as error:  # the last resort: one line instead of a traceback, whatever went wrong
        _end(terminal.unexpected(error), 1, traceback=True)


def _end(text, status, *, traceback=False):
    """Tell the error that is being handled in one line, below its traceback when that is asked for, and end."""
    if traceback and terminal.is_verbose():
        logging.getLogger(__name__).debug("Traceback:", exc_info=True)
    click.echo(f"Error: {escaped(text)}", err=True)
    sys.exit(status)
