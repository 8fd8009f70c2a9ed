"""The configuration of an anomaly run. No TensorFlow."""

import dataclasses
import typing

from medxray.errors import ConfigError, RunError
from medxray.models.registry import AUTOENCODER_LOSSES, AUTOENCODER_MINIMUM, IMAGE_SCORES, PATCH_SCALES, architecture
from medxray.training.config import RunConfig, TrainConfig, option_name

TASKS_OF_TWO = ("pneumonia", "folders")  # normal against the rest
AUTOENCODER, PADIM, PATCHCORE = METHODS = ("autoencoder", "padim", "patchcore")
_OF_PATCHES = {"arch": "vgg16", "image_size": 224, "patch_scale": "none"}
_DEFAULTS = {  # options that belong to some methods only, with their defaults there
    AUTOENCODER: {
        "image_size": 64,
        "epochs": 50,
        "batch_size": 32,
        "learning_rate": 1e-3,
        "schedule": "cosine",
        "patience": 10,
        "loss": "mix",
        "bottleneck": 64,
        "standardize": True,
    },
    PADIM: {**_OF_PATCHES, "image_score": "mean", "dimensions": 100},
    PATCHCORE: {**_OF_PATCHES, "image_score": "max", "coreset": 0.01},
}
_WITHOUT_EFFECT = {  # options of every run that do nothing in some methods
    AUTOENCODER: ("cache_dir", "cache_budget"),
    PADIM: ("augment",),
    PATCHCORE: ("augment",),
}
_FORM = {"channels": 1, "resize": "letterbox"}  # of the input; a backbone run brings its own


@dataclasses.dataclass(frozen=True)
class AnomalyConfig(RunConfig):
    """The configuration of an anomaly run; see `medxray anomaly train --help`.

    `None` means the default of the method; an option that belongs to another method is refused by `resolved()`.
    """

    TYPE: typing.ClassVar = "anomaly"
    COMMAND: typing.ClassVar = "anomaly train"
    CHOICES: typing.ClassVar = {
        **RunConfig.CHOICES,
        "task": TASKS_OF_TWO,
        "method": METHODS,
        "loss": AUTOENCODER_LOSSES,
        "image_score": IMAGE_SCORES,
        "patch_scale": PATCH_SCALES,
    }
    RANGES: typing.ClassVar = {
        **RunConfig.RANGES,
        "bottleneck": (1, 65536),
        "dimensions": (1, 4096),
        "coreset": (1e-6, 1),
    }

    method: str = AUTOENCODER
    normal: str | None = None
    backbone: str | None = None
    channels: int | None = None
    resize: str | None = None
    augment: str = "none"
    batch_size: int | None = None
    schedule: str | None = None
    patience: int | None = None
    loss: str | None = None
    bottleneck: int | None = None
    standardize: bool | None = None
    image_score: str | None = None
    patch_scale: str | None = None
    dimensions: int | None = None
    coreset: float | None = None

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
        self._refuse_foreign()
        config = self if self.backbone is None else self._of_backbone()
        defaults = {**_FORM, **_DEFAULTS[self.method]}
        config = dataclasses.replace(
            config, **{name: value for name, value in defaults.items() if getattr(config, name) is None}
        )
        if self.method == AUTOENCODER:
            return config._of_autoencoder()
        if config.weights == "auto" and not architecture(config.arch).pretrained:
            raise ConfigError(f"--arch {config.arch} has no pretrained weights. Give --weights FILE or --backbone RUN.")
        return config

    def _refuse_foreign(self):
        own = {*_DEFAULTS[self.method], *(("backbone",) if self.method != AUTOENCODER else ())}
        known = {name for options in _DEFAULTS.values() for name in options} | {"backbone"}
        foreign = [name for name in sorted(known - own) if getattr(self, name) is not None]
        foreign += [name for name in _WITHOUT_EFFECT[self.method] if getattr(self, name) != getattr(type(self), name)]
        if foreign:
            name = option_name(foreign[0])
            raise ConfigError(f"{name} is no option of --method {self.method}. Leave it out, or give another --method.")

    def _of_autoencoder(self):
        if self.weights not in ("auto", "none"):
            raise ConfigError("--method autoencoder starts from random weights. Leave --weights out.")
        if self.image_size < AUTOENCODER_MINIMUM:
            raise ConfigError(
                f"--image-size for the autoencoder must be at least {AUTOENCODER_MINIMUM} pixels. "
                f"Received {self.image_size}."
            )
        return dataclasses.replace(self, weights="none")

    def _of_backbone(self):
        from medxray.runs.directory import open_run

        run = open_run(self.backbone)
        record, model = run.read_record(), str(run.model_file)
        if record.get("type", TrainConfig.TYPE) != TrainConfig.TYPE or not run.model_file.exists():
            raise RunError(f"--backbone must be a classifier's run that has a model. Received {self.backbone}.")
        form = {name: record["config"].get(name) for name in ("arch", "image_size", *_FORM)}
        for name, value in form.items():
            if value is None:
                raise RunError(f"{run.record_file} is damaged: its configuration has no {name}. Train the run again.")
            if getattr(self, name) not in (None, value):
                raise ConfigError(f"{option_name(name)} is {value} in {self.backbone}. Leave it out.")
        if self.weights not in ("auto", model):
            raise ConfigError("--backbone RUN brings its own weights. Leave --weights out.")
        return dataclasses.replace(self, **form, backbone=str(run.path), weights=model)
