"""What a row of the table of architectures holds. No TensorFlow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from medxray.models.preprocessing import preprocessing


def read_with_keras(backbone, path):
    """Put a `.weights.h5`, or an `.h5` of keras.applications, into the layers of a backbone, in the layers' order."""
    backbone.load_weights(path)


@dataclass(frozen=True)
class Pretrained:
    """Pretrained weights of an architecture: the file, where it comes from, and how it is read.

    It comes either from `url` or from `package`.

    Attributes:
        name: what users type after `--weights`.
        file: name of the file in the folder `url`, and then in the Keras cache; of a package: pattern, as of
            `fnmatch`, of the file's path inside it.
        digest: "sha256:" or "md5:" and the hexadecimal digest of the file; None where it is not known.
        url: folder that the file is downloaded from.
        package: name of the distribution that brings the file.
        extra: extra of medxray that installs the package.
        read: function (backbone, path) that puts the file into the layers of an untrained backbone of the
            architecture; OSError where it is damaged, ValueError or KeyError where it holds something else.
    """

    name: str
    file: str
    digest: str | None = None
    url: str | None = None
    package: str | None = None
    extra: str | None = None
    read: Callable = read_with_keras


@dataclass(frozen=True)
class Architecture:
    """One row of the table of architectures.

    Attributes:
        name: what users type after `--arch`.
        builder: function that inlines the backbone: keras tensor (N,H,W,`planes`), preprocessed -> features (N,h,w,c).
            It imports Keras itself.
        stages: names of the layers that end each block, from the input to the last one. The backbone can be cut at
            each: `extract` freezes all blocks, `finetune` all but the last.
        heat_layer: default layer of Grad-CAM, the last one with spatial detail.
        preprocessing: a name in the table of `models.preprocessing`.
        paper: paper of the architecture.
        planes: 3 when the backbone expects three channels (grey is then repeated), None when it takes what comes.
        minimum_size: smallest height and width in pixels.
        default_size: usual height and width in pixels.
        pretrained: the pretrained weights that can be had, the preferred ones first.
        defaults: dict mode -> dict option -> default of this architecture there, instead of that of the mode.

    Raises:
        ConfigError: the preprocessing is not in the table.
    """

    name: str
    builder: Callable
    stages: tuple[str, ...]
    heat_layer: str
    preprocessing: str
    paper: str
    planes: int | None = 3
    minimum_size: int = 32
    default_size: int = 224
    pretrained: tuple[Pretrained, ...] = ()
    defaults: Mapping[str, Mapping] = field(default_factory=dict)

    def __post_init__(self):
        preprocessing(self.preprocessing)

    def size_for(self, stored):
        """Height and width of the input in pixels where nobody names one.

        Args:
            stored: side in pixels of the images of a set in which all are of one size, or None.

        Returns:
            int: that size, enlarged to `minimum_size` where it is smaller; for None `default_size`.
        """
        return self.default_size if stored is None else max(stored, self.minimum_size)

    @property
    def default_mode(self):
        """`finetune` where pretrained weights exist, else `scratch`."""
        return "finetune" if self.pretrained else "scratch"
