"""Everything a run can be asked for, as frozen, validated values. No TensorFlow.

`TrainConfig` is the configuration of a classifier; `RunConfig` is what the configurations of all kinds of runs can do.
"""

import dataclasses
import os
import tomllib
import typing
from dataclasses import dataclass
from pathlib import Path

from medxray.data.tasks import TASKS
from medxray.errors import ConfigError
from medxray.metrics.threshold_rules import parse_rule
from medxray.models.registry import ARCHITECTURES, architecture
from medxray.system.spelling import did_you_mean
from medxray.tracking.installed import check_installed
from medxray.training.classifier_options import CLUSTERS, ClassifierOptions, ModeOptions
from medxray.training.mode_defaults import ADAMW_DECAY, MODES, UNCACHED_HEAD_EPOCHS
from medxray.training.option_checks import check_options
from medxray.training.option_groups import (
    WEIGHTS,
    DataOptions,
    FitOptions,
    ImageOptions,
    ModelOptions,
    PlaceOptions,
    TrackingOptions,
)
from medxray.training.options import option_name, options_of, restated
from medxray.training.useless_options import refuse_useless

_SIZES = ", ".join(str(size) for size in sorted({row.default_size for row in ARCHITECTURES.values()}))
_SIZE_HELP = (
    f"Height and width of the model input in pixels. Default: that of the architecture ({_SIZES}); of a MedMNIST file, "
    "that of its images where the architecture takes it."
)


class RunConfig:
    """What every configuration can do; a subclass is a frozen dataclass of groups of options.

    `None` means "decide from the rest", and `resolved()` does. A subclass says its TYPE (a key of run_kinds.KINDS) and
    its COMMAND.
    """

    TYPE: typing.ClassVar = None
    COMMAND: typing.ClassVar = None
    CACHE_BUDGET: typing.ClassVar = "20GB"

    def __post_init__(self):
        check_options(self)

    @classmethod
    def variants(cls):
        """The options that depend on a choice: dict choice -> dict option -> its default there.

        An option that only some of them have belongs to those alone.
        """
        raise NotImplementedError

    @property
    def default_name(self):
        """Name of the run where none is given; a number is added when it is taken."""
        raise NotImplementedError

    def resolved(self):
        """The same with all that depends on other options filled in; raises ConfigError where they contradict."""
        raise NotImplementedError

    def filled(self, variant):
        """The same with the defaults of a variant where nothing is given."""
        values = {name: value for name, value in self.variants()[variant].items() if getattr(self, name) is None}
        return dataclasses.replace(self, **values)

    def refuse_foreign(self, name, variant):
        """Raise ConfigError for an option that is given and belongs to other variants.

        Args:
            name: of the field that chooses the variant, such as "mode".
            variant: the chosen one.
        """
        variants = self.variants()
        known = {option for options in variants.values() for option in options}
        for foreign in sorted(known - set(variants[variant])):
            if getattr(self, foreign) is not None:
                raise ConfigError(
                    f"{option_name(foreign)} is no option of {option_name(name)} {variant}. "
                    f"Leave it out, or give another {option_name(name)}."
                )

    def check_texts(self):
        """Raise ConfigError for a threshold rule, a label map or a cache size that cannot be read."""
        from medxray.data.layouts.labels import parse_label_map
        from medxray.training.cache_folder import parse_size

        parse_label_map(self.label_map)
        parse_rule(self.threshold_rule)
        if self.cache_budget is not None:
            parse_size(self.cache_budget)

    @property
    def seed_of_images(self):
        """What is drawn for images, augmentation and the sample that is assessed, follows this seed.

        A run of version 0.1 has no `augment_seed`.
        """
        return self.seed if self.augment_seed is None else self.augment_seed

    def anchored(self):
        """The same with absolute paths, so that a run can be resumed from any folder; `runs_dir` stays as given."""
        values = {name: getattr(self, name) for name in self._paths()}
        return dataclasses.replace(self, **{name: os.path.abspath(path) for name, path in values.items() if path})

    def _paths(self):
        """Names of the fields that hold paths, but for `runs_dir`."""
        paths = ["data", "image_root", "split_file", "cache_dir", "saved_models_dir"]
        return paths if self.weights in WEIGHTS else [*paths, "weights"]

    def to_dict(self):
        """The fields as a dict that JSON can hold."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, kw_only=True)
class TrainConfig(
    TrackingOptions,
    PlaceOptions,
    FitOptions,
    ClassifierOptions,
    ModeOptions,
    ImageOptions,
    DataOptions,
    ModelOptions,
    RunConfig,
):
    """The configuration of a classifier's run; see `medxray train --help`."""

    TYPE: typing.ClassVar = "classifier"
    COMMAND: typing.ClassVar = "train"

    arch: str = restated(ModelOptions, "arch", "vgg16")
    weights: str = restated(ModelOptions, "weights", "auto")
    task: str | None = restated(DataOptions, "task", None, choices=TASKS)
    image_size: int | None = restated(ImageOptions, "image_size", None, help=_SIZE_HELP)
    channels: int = restated(ImageOptions, "channels", 1)
    resize: str = restated(ImageOptions, "resize", "letterbox")
    augment: str | None = restated(ImageOptions, "augment", None)
    augment_seed: int | None = restated(
        ImageOptions,
        "augment_seed",
        None,
        help="Seed of augmentation; runs with the same one share what is cached. Default: 0.",
    )
    epochs: int | None = restated(FitOptions, "epochs", None, help="Epochs of the main stage, or of each block's.")
    batch_size: int = restated(FitOptions, "batch_size", 32)
    learning_rate: float | str | None = restated(
        FitOptions,
        "learning_rate",
        None,
        help="Peak rate of the main stage; auto: found by `lr-find`. VGG in full: 1e-4.",
        word="auto",
    )
    schedule: str = restated(FitOptions, "schedule", "cosine")
    patience: int = restated(FitOptions, "patience", 10)
    cache_budget: str = restated(
        PlaceOptions,
        "cache_budget",
        RunConfig.CACHE_BUDGET,
        help="Largest cache of a run; what is beyond it is computed again when needed.",
    )
    name: str | None = restated(
        PlaceOptions, "name", None, help="Name of the run. Default: ARCH-MODE, numbered when taken."
    )

    @classmethod
    def variants(cls):
        """The modes, with the defaults that depend on them."""
        return MODES

    @property
    def default_name(self):
        """`<arch>-<mode>`."""
        return f"{self.arch}-{self.mode}"

    def resolved(self):
        """Fill in what depends on other fields (mode, epochs, views, learning rate, weights) and check the texts.

        Raises:
            ConfigError: options contradict each other, a threshold rule or size cannot be read, a package is missing.
        """
        from medxray.data.layouts.medmnist import stored_size

        self.check_texts()
        check_installed(self)
        spec = architecture(self.arch)
        mode = self.mode or spec.default_mode
        self.refuse_foreign("mode", mode)
        weights = "none" if self.weights == "auto" and (mode == "scratch" or not spec.pretrained) else self.weights
        config = self._of_architecture(spec.defaults.get(mode, {})).filled(mode)
        views = min(config.views, 1 if config.augment == "none" else max(config.epochs, config.head_epochs or 0))
        if mode == "scratch" and weights != "none":
            raise ConfigError("--mode scratch trains from random weights and takes --weights none only.")
        if mode in ("scratch", "full") and views:
            raise ConfigError(f"--mode {mode} has no frozen layers to cache. Leave --views out or give --views 0.")
        if self.holdout and self.split_file:
            raise ConfigError("--holdout makes a split, and --split-file gives one. Leave one of them out.")
        size = self.image_size or spec.size_for(stored_size(self.data))
        precision = self.precision or ("float32" if self.deterministic and not self.mixed_precision else "auto")
        numbers = {"precision": precision, "mixed_precision": False, "augment_seed": self.augment_seed or 0}
        config = dataclasses.replace(config, mode=mode, views=views, weights=weights, image_size=size, **numbers)
        config = config._of_choices(self)
        refuse_useless(self, config)
        return config

    def _of_choices(self, given):
        """The same with what depends on optimizer, schedule, holdout and views; `given` is what the user gave."""
        values = {"clusters": (given.clusters or CLUSTERS) if self.holdout else None}
        if self.head_epochs and given.head_epochs is None and not self.views:
            values["head_epochs"] = UNCACHED_HEAD_EPOCHS
        if self.optimizer == "adamw" and given.weight_decay is None:
            values["weight_decay"] = ADAMW_DECAY
        if self.schedule == "plateau":
            values["warm_up"] = None
        return dataclasses.replace(self, **values)

    def _of_architecture(self, defaults):
        """The same with the defaults that the architecture has for the mode, where nothing is given."""
        return dataclasses.replace(
            self, **{name: value for name, value in defaults.items() if getattr(self, name) is None}
        )


def config_from_dict(values, *, source="configuration", kind=TrainConfig):
    """Build a configuration from a dict.

    Args:
        values: option names (dashes or underscores) to values.
        source: where they come from, for the message.
        kind: TrainConfig, or another RunConfig.

    Raises:
        ConfigError: an unknown option or an impossible value.
    """
    known = options_of(kind)
    values = _named_as_fields(values)
    unknown = sorted(set(values) - set(known))
    if unknown:
        near = did_you_mean(unknown[0], known)
        raise ConfigError(f"Unknown option '{unknown[0]}' in {source}.{near} Known: {', '.join(sorted(known))}.")
    return kind(**values)


def read_config_file(path, *, kind=TrainConfig):
    """Read options from a TOML file and return them as a dict; raises ConfigError when they are not those of `kind`."""
    values = read_toml(path)
    config_from_dict(values, source=str(path), kind=kind)
    return values


def read_toml(path):
    """What a TOML file says, as a dict with the names of fields; raises ConfigError when it is not valid TOML."""
    try:
        return _named_as_fields(tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"Could not read options from {path}: {error}.") from error


def _named_as_fields(values):
    """Option names as those of fields: underscores, and `no-export = true` as `export = false`."""
    values = {name.replace("-", "_"): value for name, value in values.items()}
    return {
        name.removeprefix("no_"): not value if name.startswith("no_") and type(value) is bool else value
        for name, value in values.items()
    }
