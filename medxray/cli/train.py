"""`medxray train`."""

import dataclasses

import click

from medxray.cli.options import column_options
from medxray.models.registry import ARCHITECTURES
from medxray.training.config import AUGMENTS, MODES, RESIZES, SCHEDULES, TASKS, TrainConfig

_PATH = click.Path()
_OPTIONS = (
    ("arch", click.Choice(list(ARCHITECTURES)), "Architecture."),
    ("mode", click.Choice(MODES), "What is trained: head, head and last block, or everything."),
    ("data", _PATH, "Folder or CSV of images."),
    ("task", click.Choice(TASKS), "Which classes; found out from the data when left out."),
    ("positive", str, "Class that counts as sick where two class names do not say it."),
    ("label-map", str, "Labels of the data, and the classes they mean: a=NORMAL,b=PNEUMONIA."),
    ("split-file", _PATH, "split.csv of an earlier run, to use the same split."),
    ("limit", int, "Use a stratified subset of that many images, for trials."),
    ("image-size", int, "Height and width of the model input in pixels."),
    ("channels", int, "1 for grey, 3 for colour images."),
    ("resize", click.Choice(RESIZES), "Keep the aspect ratio with a black border, or not."),
    ("augment", click.Choice(AUGMENTS), "Strength of augmentation of training images."),
    ("views", int, "Augmented views cached of each training image; 0 augments on-line. Default: 2, 0 in scratch."),
    ("weights", str, "auto, imagenet, hed, none, or a file."),
    ("epochs", int, "Epochs of the main stage. Default: 30 in extract, else 10."),
    ("head-epochs", int, "Epochs of the head before fine-tuning; nearly free, since features are cached."),
    ("batch-size", int, "Images per step."),
    ("learning-rate", float, "Peak rate of the main stage. Default: 1e-4 in finetune, else 1e-3."),
    ("head-learning-rate", float, "Peak rate of the head stage."),
    ("schedule", click.Choice(SCHEDULES), "Cosine with warm-up, or reduce on plateau."),
    ("patience", int, "Epochs without a better validation loss before training stops."),
    ("dropout", float, "Share of hidden units dropped."),
    ("l2", float, "Weight of the L2 penalty on what is trained."),
    ("head-units", int, "Size of the head's hidden layer; 0 for none."),
    ("class-weights", click.Choice(("balanced", "none")), "Weigh classes by their rarity, or not."),
    ("seed", int, "Seed of split, initialisation, order, dropout and augmentation."),
    ("threshold-rule", str, "youden, sensitivity:0.95, cost:FN/FP or 0.5; chosen on validation images."),
    ("cache-dir", _PATH, "Folder of cached activations. Default: ~/.cache/medxray."),
    ("cache-budget", str, "Largest cache of a run; beyond it training runs on-line."),
    ("name", str, "Name of the run. Default: ARCH-MODE, numbered when taken."),
    ("runs-dir", _PATH, "Folder of runs."),
    ("saved-models-dir", _PATH, "Folder of exported models."),
)
_FLAGS = (
    ("strict", "Stop at the first file that cannot be read."),
    ("mixed-precision", "Compute in 16 bit where that is safe."),
    ("deterministic", "Bit-identical reruns and resumes."),
    ("overwrite", "Replace a run of the same name."),
)


def _add_options(command):
    defaults = {field.name: field.default for field in dataclasses.fields(TrainConfig)}
    for name in reversed([name for name, _ in _FLAGS]):
        text = dict(_FLAGS)[name]
        command = click.option(f"--{name}", is_flag=True, default=None, help=text)(command)
    for name, kind, text in reversed(_OPTIONS):
        default = defaults[name.replace("-", "_")]
        shown = text if default is None else f"{text} Default: {default}."
        command = click.option(f"--{name}", type=kind, default=None, help=shown)(command)
    return command


@click.command()
@_add_options
@column_options
@click.option("--no-export", "export", flag_value=False, default=None, type=bool, help="Write no SavedModel.")
@click.option("--config", "config_file", type=click.Path(), help="TOML file with any of these options.")
@click.option("--resume", metavar="RUN", help="Go on with an interrupted run; takes no other option.")
def train(config_file, resume, **options):
    """Train a classifier, evaluate it and export it.

    Writes a run directory under runs/ and a SavedModel under saved_models/. The threshold and the calibration come
    from validation patients, the figures from test patients.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if resume and (given or config_file):
        raise click.UsageError("--resume takes no other option: the run knows its configuration.")
    config = None if resume else _configuration(config_file, given)

    from medxray.backend import load_tensorflow

    load_tensorflow()
    from medxray import api

    run = api.resume(resume) if resume else api.train(config)
    _report(run)


def _configuration(config_file, given):
    from medxray.training.config import config_from_dict, read_config_file

    from_file = read_config_file(config_file) if config_file else {}
    config = config_from_dict({**from_file, **given}, source="the command line")
    config.resolved()
    return config


def _report(run):
    from medxray import storage
    from medxray.cli.summary import summary_lines

    splits = storage.read_json(run.directory.metrics_file)["splits"]
    for line in summary_lines(splits):
        click.echo(line)
    click.echo(f"Run: {run.path}")
    if "export" in run.record:
        click.echo(f"SavedModel: {run.record['export']}")
