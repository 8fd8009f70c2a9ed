"""The configuration of an anomaly run. No TensorFlow."""

import dataclasses
import typing

from medxray.errors import ConfigError
from medxray.models.registry import AUTOENCODER_LOSSES, architecture
from medxray.training.config import RunConfig

AUTOENCODER, PADIM, PATCHCORE = METHODS = ("autoencoder", "padim", "patchcore")
_DEFAULTS = {  # options that belong to some methods only, with their defaults there
    AUTOENCODER: {
        "image_size": 64,
        "epochs": 50,
        "learning_rate": 1e-3,
        "loss": "mse",
        "bottleneck": 64,
        "standardize": True,
    },
    PADIM: {"arch": "vgg16", "image_size": 224, "dimensions": 100},
    PATCHCORE: {"arch": "vgg16", "image_size": 224, "coreset": 0.01},
}


@dataclasses.dataclass(frozen=True)
class AnomalyConfig(RunConfig):
    """The configuration of an anomaly run; see `medxray anomaly train --help`.

    `None` means the default of the method; an option that belongs to another method is refused by `resolved()`.
    """

    TYPE: typing.ClassVar = "anomaly"
    COMMAND: typing.ClassVar = "anomaly train"
    CHOICES: typing.ClassVar = {
        **RunConfig.CHOICES,
        "task": ("pneumonia", "folders"),
        "method": METHODS,
        "loss": AUTOENCODER_LOSSES,
    }
    RANGES: typing.ClassVar = {
        **RunConfig.RANGES,
        "bottleneck": (1, 65536),
        "dimensions": (1, 4096),
        "coreset": (1e-6, 1),
    }

    method: str = PATCHCORE
    normal: str | None = None
    backbone: str | None = None
    augment: str = "none"
    loss: str | None = None
    bottleneck: int | None = None
    standardize: bool | None = None
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
            RunError: the backbone is no classifier's run.
        """
        self.check_texts()
        self._refuse_foreign()
        config = self if self.backbone is None else self._of_backbone()
        filled = {
            name: value for name, value in _DEFAULTS[self.method].items() if getattr(config, name) is None
        }
        if self.method == AUTOENCODER:
            filled["weights"] = "none"
        elif config.weights == "auto" and not architecture(config.arch or filled["arch"]).pretrained:
            raise ConfigError(f"--arch {config.arch} has no pretrained weights. Give --weights FILE or --backbone RUN.")
        return dataclasses.replace(config, **filled)

    def _refuse_foreign(self):
        own = {*_DEFAULTS[self.method], *(() if self.method == AUTOENCODER else ("backbone",))}
        known = {name for options in _DEFAULTS.values() for name in options} | {"backbone"}
        for name in sorted(known - own):
            if getattr(self, name) is not None:
                raise ConfigError(f"--{name.replace('_', '-')} is no option of --method {self.method}. Leave it out.")
        if self.method == AUTOENCODER and self.weights not in ("auto", "none"):
            raise ConfigError("--method autoencoder starts from random weights. Leave --weights out.")

    def _of_backbone(self):
        from medxray.runs import open_run

        run = open_run(self.backbone)
        theirs = run.read_record()["config"]
        for name in ("arch", "image_size"):
            if getattr(self, name) not in (None, theirs.get(name)):
                raise ConfigError(f"--{name.replace('_', '-')} is {theirs.get(name)} in {self.backbone}. Leave it out.")
        if self.weights != "auto":
            raise ConfigError("--backbone RUN brings its own weights. Leave --weights out.")
        form = {name: theirs.get(name) for name in ("arch", "image_size", "channels", "resize")}
        return dataclasses.replace(self, **form, weights=str(run.model_file))
