"""The command line. Command modules import nothing heavy; TensorFlow starts inside the command that needs it."""

import sys

import click

from medxray.cli import terminal
from medxray.cli.adapt import adapt
from medxray.cli.anomaly import anomaly
from medxray.cli.cache import cache
from medxray.cli.compare import compare
from medxray.cli.data import data
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


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="medxray %(version)s")
@click.option("--debug", is_flag=True, help="Show Python tracebacks and TensorFlow's own messages.")
def cli(debug):
    """Train, evaluate, explain and export classifiers of chest X-rays.

    Research software. Start with: medxray data inspect DIR, then medxray train --data DIR.
    """
    terminal.prepare(debug)
    show_names(True)


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
):
    cli.add_command(_command)


def main():
    """Entry point: one line and exit status 1 for errors of medxray, 2 for impossible options, 130 for Ctrl-C."""
    debug = "--debug" in sys.argv[1:2]
    try:
        status = cli.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show(file=sys.stderr)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(f"Error: {escaped(' '.join(error.format_message().split()))}", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except MedxrayError as error:
        if debug:
            raise
        click.echo(f"Error: {escaped(str(error))}", err=True)
        sys.exit(2 if isinstance(error, ConfigError) else 1)
    except Exception as error:  # the last resort: one line instead of a traceback, whatever went wrong
        if debug:
            raise
        click.echo(f"Error: {escaped(terminal.unexpected(error))}", err=True)
        sys.exit(1)
