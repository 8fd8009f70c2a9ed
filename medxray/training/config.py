"""Everything a run can be asked for, as frozen, validated values. No TensorFlow.

`RunConfig` holds what every kind of run has: data, images, optimisation, places. `TrainConfig` adds what a classifier
has.
"""

import dataclasses
import math
import os
import tomllib
import types
import typing
from dataclasses import dataclass
from pathlib import Path

from medxray.data.tasks import TASKS
from medxray.errors import ConfigError
from medxray.models.registry import architecture

MODES = ("extract", "finetune", "scratch")
SCHEDULES = ("cosine", "plateau")
RESIZES = ("letterbox", "stretch")
WEIGHTS = ("auto", "imagenet", "hed", "none")
AUGMENTS = ("none", "light", "standard", "strong")


@dataclass(frozen=True)
class RunConfig:
    """What every kind of run can be asked for; `None` means "decide from the rest" and `resolved()` does.

    Attributes: one per option of the command; its `--help` describes them. A subclass says its TYPE (a key of
        run_kinds.KINDS) and its COMMAND.
    """

    TYPE: typing.ClassVar = None
    COMMAND: typing.ClassVar = None

    CHOICES: typing.ClassVar = {
        "task": TASKS,
        "schedule": SCHEDULES,
        "resize": RESIZES,
        "augment": AUGMENTS,
        "channels": (1, 3),
    }
    RANGES: typing.ClassVar = {  # lowest and highest value; None: no bound
        "epochs": (1, None),
        "batch_size": (1, 4096),
        "patience": (1, None),
        "limit": (16, None),
        "seed": (0, 2**31 - 1),
        "learning_rate": (1e-8, 10),
    }

    arch: str | None = None
    data: str = "data"
    task: str | None = None
    path_col: str | None = None
    label_col: str | None = None
    patient_col: str | None = None
    split_col: str | None = None
    label_map: str | None = None
    split_file: str | None = None
    strict: bool = False
    limit: int | None = None
    image_size: int | None = None
    channels: int = 1
    resize: str = "letterbox"
    augment: str = "standard"
    weights: str = "auto"
    epochs: int | None = None
    batch_size: int = 32
    learning_rate: float | None = None
    schedule: str = "cosine"
    patience: int = 10
    deterministic: bool = False
    seed: int = 0
    threshold_rule: str = "youden"
    cache_dir: str | None = None
    cache_budget: str = "20GB"
    name: str | None = None
    runs_dir: str = "runs"
    overwrite: bool = False
    export: bool = True
    saved_models_dir: str = "saved_models"

    def __post_init__(self):
        _check_types(self)
        _check_choices(self)
        _check_ranges(self)

    @property
    def default_name(self):
        """Name of the run where none is given; a number is added when it is taken."""
        raise NotImplementedError

    def check_texts(self):
        """Raise ConfigError for a threshold rule, a label map or a cache size that cannot be read."""
        from medxray.data.layouts.labels import parse_label_map
        from medxray.metrics.thresholds import parse_rule
        from medxray.training.prefix_cache import parse_size

        parse_label_map(self.label_map)
        parse_rule(self.threshold_rule)
        parse_size(self.cache_budget)

    def anchored(self):
        """The same with absolute paths, so that a run can be resumed from any folder; `runs_dir` stays as given."""
        paths = ["data", "split_file", "cache_dir", "saved_models_dir"]
        if self.weights not in WEIGHTS:
            paths.append("weights")
        values = {name: getattr(self, name) for name in paths}
        return dataclasses.replace(self, **{name: os.path.abspath(path) for name, path in values.items() if path})

    def to_dict(self):
        """The fields as a dict that JSON can hold."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class TrainConfig(RunConfig):
    """The configuration of a classifier's run; see `medxray train --help`."""

    TYPE: typing.ClassVar = "classifier"
    COMMAND: typing.ClassVar = "train"
    CHOICES: typing.ClassVar = {**RunConfig.CHOICES, "mode": MODES, "class_weights": ("balanced", "none")}
    RANGES: typing.ClassVar = {
        **RunConfig.RANGES,
        "head_epochs": (0, None),
        "head_units": (0, 65536),
        "views": (0, 64),
        "dropout": (0, 0.95),
        "l2": (0, 1),
        "head_learning_rate": (1e-8, 10),
    }

    arch: str = "vgg16"
    image_size: int = 224
    mode: str | None = None
    positive: str | None = None
    views: int | None = None
    head_epochs: int = 10
    head_learning_rate: float = 1e-3
    dropout: float = 0.5
    l2: float = 1e-4
    head_units: int = 256
    class_weights: str = "balanced"
    mixed_precision: bool = False

    @property
    def default_name(self):
        """`<arch>-<mode>`."""
        return f"{self.arch}-{self.mode}"

    def resolved(self):
        """Fill in what depends on other fields (mode, epochs, views, learning rate, weights) and check the texts.

        Raises:
            ConfigError: options contradict each other, or a threshold rule or size cannot be read.
        """
        spec = architecture(self.arch)
        mode = self.mode or spec.default_mode
        epochs = self.epochs or (30 if mode == "extract" else 10)
        views = self.views if self.views is not None else (0 if mode == "scratch" else 2)
        views = min(views, 1 if self.augment == "none" else max(epochs, self.head_epochs))
        rate = self.learning_rate or (1e-4 if mode == "finetune" else 1e-3)
        weights = "none" if self.weights == "auto" and (mode == "scratch" or not spec.pretrained) else self.weights
        filled = {"mode": mode, "epochs": epochs, "views": views, "learning_rate": rate}
        filled["weights"] = weights
        self.check_texts()
        if mode == "scratch" and weights != "none":
            raise ConfigError("--mode scratch trains from random weights and takes --weights none only.")
        if mode == "scratch" and views:
            raise ConfigError("--mode scratch has no frozen layers to cache. Leave --views out or give --views 0.")
        return dataclasses.replace(self, **filled)


def config_from_dict(values, *, source="configuration", kind=TrainConfig):
    """Build a configuration from a dict.

    Args:
        values: option names (dashes or underscores) to values.
        source: where they come from, for the message.
        kind: TrainConfig, or another RunConfig.

    Raises:
        ConfigError: an unknown option or an impossible value.
    """
    known = {field.name for field in dataclasses.fields(kind)}
    values = _named_as_fields(values)
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(f"Unknown option '{unknown[0]}' in {source}. Known options: {', '.join(sorted(known))}.")
    return kind(**values)


def read_config_file(path, *, kind=TrainConfig):
    """Read options from a TOML file and return them as a dict; raises ConfigError when it is not valid TOML."""
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"Could not read options from {path}: {error}.") from error
    config_from_dict(values, source=str(path), kind=kind)
    return _named_as_fields(values)


def _named_as_fields(values):
    """Option names as those of fields: underscores, and `no-export = true` as `export = false`."""
    values = {name.replace("-", "_"): value for name, value in values.items()}
    return {
        name.removeprefix("no_"): not value if name.startswith("no_") and type(value) is bool else value
        for name, value in values.items()
    }


def _check_types(config):
    hints = typing.get_type_hints(type(config))
    for name in [field.name for field in dataclasses.fields(config)]:
        hint = hints[name]
        value = getattr(config, name)
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
            object.__setattr__(config, name, value)
        allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        if value == "":
            raise ConfigError(f"{option_name(name)} must not be empty. Give a value, or leave it out.")
        if float in allowed and type(value) is int:
            object.__setattr__(config, name, float(value))
        elif type(value) not in allowed:
            wanted = " or ".join(kind.__name__ for kind in allowed if kind is not types.NoneType)
            raise ConfigError(f"{option_name(name)} must be {wanted}. Received {value!r}.")


def _check_choices(config):
    for name, allowed in config.CHOICES.items():
        value = getattr(config, name)
        if value is not None and value not in allowed:
            raise ConfigError(f"{option_name(name)} must be one of {', '.join(map(str, allowed))}. Received '{value}'.")
    if config.arch is not None:
        architecture(config.arch)


def _check_ranges(config):
    minimum = 1 if config.arch is None else architecture(config.arch).minimum_size
    for name, (low, high) in {**config.RANGES, "image_size": (minimum, 2048)}.items():
        value = getattr(config, name)
        if value is None or low <= value <= (math.inf if high is None else high):
            continue
        reason = f" for {config.arch}" if name == "image_size" and config.arch else ""
        span = f"be at least {low:g}" if high is None else f"lie between {low:g} and {high:g}"
        raise ConfigError(f"{option_name(name)}{reason} must {span}. Received {value}.")


def option_name(name):
    """A field as the option of the command."""
    return "--" + name.replace("_", "-")
