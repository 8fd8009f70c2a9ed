"""The configuration of an anomaly run. No TensorFlow."""

import dataclasses
import typing
from dataclasses import dataclass

from medxray.anomaly.choices import IMAGE_SCORES, LOSSES, PATCH_SCALES
from medxray.anomaly.methods import METHODS
from medxray.errors import ConfigError, RunError
from medxray.models.registry import architecture
from medxray.training.config import RunConfig, TrainConfig
from medxray.training.option_groups import DataOptions, FitOptions, ImageOptions, ModelOptions, PlaceOptions
from medxray.training.options import option, option_name, restated

TASKS_OF_TWO = ("pneumonia", "folders")  # normal against the rest
_INPUT = {"channels": 1, "resize": "letterbox"}  # of every method; a backbone run brings its own


@dataclass(frozen=True, kw_only=True)
class DetectorOptions:
    """What a detector has beside the options of every run; which methods have which stands in methods.METHODS."""

    method: str = option("autoencoder", "How normal images are described.", choices=METHODS)
    normal: str | None = option(None, "The normal class; all others are abnormal. Default: told from the names.")
    backbone: str | None = option(None, "Run whose convolutions are used, instead of --arch and --weights.", path=True)
    image_score: str | None = option(None, "Part of the map that is the score.", choices=IMAGE_SCORES)
    patch_scale: str | None = option(None, "Strength of patches: as it is, or unit.", choices=PATCH_SCALES)
    dimensions: int | None = option(None, "Channels that are kept, drawn at random.", low=1, high=4096)
    coreset: float | None = option(None, "Share of the patches that are kept.", low=1e-6, high=1)
    loss: str | None = option(None, "Squared error, structural similarity, or mix.", choices=LOSSES)
    bottleneck: int | None = option(None, "Numbers that an image is reduced to.", low=1, high=65536)
    standardize: bool | None = option(None, "Bring each image to mean 0 and deviation 1.")


@dataclass(frozen=True, kw_only=True)
class AnomalyConfig(PlaceOptions, FitOptions, ImageOptions, DataOptions, ModelOptions, DetectorOptions, RunConfig):
    """The configuration of an anomaly run; see `medxray anomaly train --help`.

    `None` means the default of the method; an option that belongs to another method is refused by `resolved()`.
    A record of an earlier version may hold such options, which had defaults there (`augment`, `cache_budget`): a record
    is read without `resolved()`, and nothing looks at them.
    """

    TYPE: typing.ClassVar = "anomaly"
    COMMAND: typing.ClassVar = "anomaly train"

    arch: str | None = restated(ModelOptions, "arch", None, help="Architecture of the backbone.")
    task: str | None = restated(DataOptions, "task", None, choices=TASKS_OF_TWO)
    channels: int | None = restated(
        ImageOptions, "channels", None, help="1 for grey, 3 for colour images; a backbone run brings its own."
    )
    resize: str | None = restated(
        ImageOptions,
        "resize",
        None,
        help="Keep the aspect ratio with a black border, or not; a backbone run brings its own.",
    )
    patience: int | None = restated(
        FitOptions, "patience", None, help="Epochs without a better loss on validation normals before training stops."
    )
    name: str | None = restated(
        PlaceOptions, "name", None, help="Name of the run. Default: METHOD or METHOD-ARCH, numbered when taken."
    )

    @classmethod
    def variants(cls):
        """The methods, with their options and defaults."""
        return {name: {**_INPUT, **row.options} for name, row in METHODS.items()}

    @property
    def default_name(self):
        """The method, behind it the architecture where it has one."""
        return self.method if self.arch is None else f"{self.method}-{self.arch}"

    def resolved(self):
        """Fill in the defaults of the method, and what a backbone run says.

        Raises:
            ConfigError: an option belongs to another method, or contradicts the backbone.
            RunError: the backbone is no classifier's run, or has no model.
        """
        self.check_texts()
        self.refuse_foreign("method", self.method)
        config = (self if self.backbone is None else self._of_backbone()).filled(self.method)
        config._check_weights()
        config._check_size()
        return config

    def _check_weights(self):
        if not METHODS[self.method].has_backbone and self.weights not in (None, "none"):
            raise ConfigError(f"--method {self.method} starts from random weights. Leave --weights out.")
        if self.weights == "auto" and not architecture(self.arch).pretrained:
            raise ConfigError(f"--arch {self.arch} has no pretrained weights. Give --weights FILE or --backbone RUN.")

    def _check_size(self):
        least = METHODS[self.method].minimum_size
        if self.image_size < least:
            raise ConfigError(
                f"--image-size for --method {self.method} must be at least {least} pixels. Received {self.image_size}."
            )

    def _of_backbone(self):
        from medxray.runs.directory import open_run

        run = open_run(self.backbone)
        record, model = run.read_record(), str(run.model_file)
        if record.get("type", TrainConfig.TYPE) != TrainConfig.TYPE or not run.model_file.exists():
            raise RunError(f"--backbone must be a classifier's run that has a model. Received {self.backbone}.")
        form = {name: record["config"].get(name) for name in ("arch", "image_size", *_INPUT)}
        for name, value in form.items():
            if value is None:
                raise RunError(f"{run.record_file} is damaged: its configuration has no {name}. Train the run again.")
            if getattr(self, name) not in (None, value):
                raise ConfigError(f"{option_name(name)} is {value} in {self.backbone}. Leave it out.")
        if self.weights not in (None, "auto", model):
            raise ConfigError("--backbone RUN brings its own weights. Leave --weights out.")
        return dataclasses.replace(self, **form, backbone=str(run.path), weights=model)
