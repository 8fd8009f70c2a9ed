"""The options of the commands that train: one per field of their configuration."""

import dataclasses
import functools

import click

from medxray.anomaly.config import METHODS, TASKS_OF_TWO
from medxray.cli.options import PATH, column_options
from medxray.models.registry import ARCHITECTURES, AUTOENCODER_LOSSES, IMAGE_SCORES, PATCH_SCALES
from medxray.training.config import AUGMENTS, MODES, RESIZES, SCHEDULES, TASKS

_OPTIONS = (
    ("arch", click.Choice(list(ARCHITECTURES)), "Architecture."),
    ("mode", click.Choice(MODES), "What is trained: head, head and last block, or everything."),
    ("data", PATH, "Folder or CSV of images."),
    ("task", click.Choice(TASKS), "Which classes; found out from the data when left out."),
    ("positive", str, "Class that counts as sick where two class names do not say it."),
    ("label-map", str, "Labels of the data, and the classes they mean: a=NORMAL,b=PNEUMONIA."),
    ("split-file", PATH, "split.csv of an earlier run, to use the same split."),
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
    ("cache-dir", PATH, "Folder of cached activations. Default: ~/.cache/medxray."),
    ("cache-budget", str, "Largest cache of a run; beyond it training runs on-line."),
    ("name", str, "Name of the run. Default: ARCH-MODE, numbered when taken."),
    ("runs-dir", PATH, "Folder of runs."),
    ("saved-models-dir", PATH, "Folder of exported models."),
)
_FLAGS = (
    ("strict", "Stop at the first file that cannot be read."),
    ("mixed-precision", "Compute in 16 bit where that is safe."),
    ("deterministic", "Bit-identical reruns and resumes."),
    ("overwrite", "Replace a run of the same name."),
)


_ONLY_ANOMALY = (
    ("method", click.Choice(METHODS), "How normal images are described."),
    ("normal", str, "The normal class; all others are abnormal. Default: told from the names."),
    ("backbone", PATH, "Run whose convolutions are used, instead of --arch and --weights."),
    ("image-score", click.Choice(IMAGE_SCORES), "Part of the map that is the score. Default: mean, patchcore: max."),
    ("patch-scale", click.Choice(PATCH_SCALES), "padim, patchcore: none, or unit strength. Default: none."),
    ("dimensions", int, "padim: channels that are kept, drawn at random. Default: 100."),
    ("coreset", float, "patchcore: share of the patches that are kept. Default: 0.01."),
    ("loss", click.Choice(AUTOENCODER_LOSSES), "autoencoder: squared error, similarity, or mix. Default: mix."),
    ("bottleneck", int, "autoencoder: numbers that an image is reduced to. Default: 64."),
    ("task", click.Choice(TASKS_OF_TWO), "Which classes; found out from the data when left out."),
    ("image-size", int, "Height and width of the model input in pixels. Default: 64 in autoencoder, else 224."),
    ("channels", int, "1 for grey, 3 for colour images. Default: 1, or that of the backbone run."),
    (
        "resize",
        click.Choice(RESIZES),
        "Keep the aspect ratio with a black border, or not. Default: letterbox, or that of the backbone run.",
    ),
    ("augment", click.Choice(AUGMENTS), "autoencoder: strength of augmentation of training images."),
    ("batch-size", int, "autoencoder: images per step. Default: 32."),
    ("schedule", click.Choice(SCHEDULES), "autoencoder: cosine with warm-up, or reduce on plateau. Default: cosine."),
    ("patience", int, "autoencoder: epochs without a better loss on validation normals before it stops. Default: 10."),
    ("cache-dir", PATH, "padim, patchcore: folder of cached activations. Default: ~/.cache/medxray."),
    ("cache-budget", str, "padim, patchcore: largest cache of a run; beyond it activations are computed again."),
    ("weights", str, "padim, patchcore: auto, imagenet, hed, none, or a file."),
    ("seed", int, "Seed of split, initialisation, order, augmentation, channels and memory bank."),
    ("name", str, "Name of the run. Default: METHOD or METHOD-ARCH, numbered when taken."),
    ("epochs", int, "autoencoder: epochs. Default: 50."),
    ("learning-rate", float, "autoencoder: peak learning rate. Default: 1e-3."),
    ("arch", click.Choice(list(ARCHITECTURES)), "padim, patchcore: architecture of the backbone. Default: vgg16."),
)


def config_options(config_class):
    """Decorator that adds an option for each field of a RunConfig class; what is not given stays None."""
    fields = {field.name.replace("_", "-"): field.default for field in dataclasses.fields(config_class)}
    special = _ONLY_ANOMALY if config_class.TYPE == "anomaly" else ()
    own = {name: (kind, text) for name, kind, text in (*_OPTIONS, *special) if name in fields}

    def decorate(command):
        for name, text in reversed(_FLAGS):
            if name in fields:
                command = click.option(f"--{name}", is_flag=True, default=None, help=text)(command)
        if "standardize" in fields:
            text = "autoencoder: bring each image to mean 0 and deviation 1. Default: yes."
            command = click.option("--standardize/--no-standardize", default=None, help=text)(command)
        for name, (kind, text) in reversed(own.items()):
            shown = text if fields[name] is None else f"{text} Default: {fields[name]}."
            command = click.option(f"--{name}", type=kind, default=None, help=shown)(command)
        return command

    return decorate


def configuration(config_class, config_file, given):
    """The checked configuration from a TOML file, or None, and the options given on the command line."""
    from medxray.training.config import config_from_dict, read_config_file

    from_file = read_config_file(config_file, kind=config_class) if config_file else {}
    config = config_from_dict({**from_file, **given}, source="the command line", kind=config_class)
    config.resolved()
    return config


def train_command(config_class):
    """Decorator that makes a function (config, resume) a command with the options of a RunConfig class.

    The function is called with the checked configuration, or with the name of the run to resume.
    """

    def decorate(function):
        @functools.wraps(function)
        def command(config_file, resume, **options):
            given = {name: value for name, value in options.items() if value is not None}
            if resume and (given or config_file):
                raise click.UsageError("--resume takes no other option: the run knows its configuration.")
            return function(None if resume else configuration(config_class, config_file, given), resume)

        for option in reversed(
            (
                config_options(config_class),
                column_options,
                click.option(
                    "--no-export", "export", flag_value=False, default=None, type=bool, help="Write no SavedModel."
                ),
                click.option("--config", "config_file", type=PATH, help="TOML file with any of these options."),
                click.option(
                    "--resume", type=PATH, metavar="RUN", help="Go on with an interrupted run; takes no other option."
                ),
            )
        ):
            command = option(command)
        return click.command()(command)

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
    if "export" in run.record:
        click.echo(f"SavedModel: {run.record['export']}")
