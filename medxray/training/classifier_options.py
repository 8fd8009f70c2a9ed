"""The options that only a classifier has. No TensorFlow."""

from dataclasses import dataclass

from medxray.training.mode_defaults import MODES
from medxray.training.options import option

CLUSTERS = 5  # kinds of images in each class, where nothing is given
DECIDE_ON = ("clean", "shifted")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
OPTIMIZERS = ("adam", "adamw", "sgd")


@dataclass(frozen=True, kw_only=True)
class ModeOptions:
    """Which layers are trained, in which stages."""

    mode: str | None = option(
        None,
        "What is trained: the head; head and last block; block after block; all layers of a pretrained network; or all "
        "layers from random weights. Default: finetune where there are pretrained weights, else scratch.",
        choices=MODES,
    )
    unfreeze_to: str | None = option(
        None,
        "The lowest block that is trained, by the name of its last layer. Default: the last block.",
        metavar="LAYER",
    )
    stage_epochs: str | None = option(
        None, "Epochs of each block's stage, the last block first: 6,4,2. Default: --epochs.", metavar="N,..."
    )
    stage_learning_rates: str | None = option(
        None, "Peak rate of each block's stage, the last block first. Default: --learning-rate.", metavar="RATE,..."
    )
    train_bn: bool | None = option(
        None, "Train batch normalisation of the backbone where all layers are trained. Default: frozen."
    )


@dataclass(frozen=True, kw_only=True)
class ClassifierOptions:
    """Head, loss and optimizer of a classifier."""

    positive: str | None = option(None, "Class that counts as sick where two class names do not say it.")
    decide_on: str = option(
        "clean",
        "Validation images that choose threshold and calibration: as they are, or with shifted views.",
        choices=DECIDE_ON,
    )
    holdout: str | None = option(
        None, "Make the test split of kinds of images that training does not see.", choices=("clusters",)
    )
    clusters: int | None = option(None, "Kinds of images in each class, for --holdout. Default: 5.", low=2, high=100)
    views: int | None = option(
        None, "Augmented views cached of each training image; 0 augments on-line.", low=0, high=64
    )
    head_epochs: int | None = option(
        None,
        "Epochs of the head before other layers are trained; nearly free where features are cached. With --views 0 "
        "they are not, and 2 are the default.",
        low=0,
    )
    head_learning_rate: float | None = option(None, "Peak rate of the head stage.", low=1e-8, high=10)
    head_units: int | None = option(None, "Size of the head's hidden layer; 0 for none.", low=0, high=65536)
    head_norm: bool | None = option(None, "Bring pooled features to one scale by batch normalisation before the head.")
    dropout: float | None = option(None, "Share of hidden units dropped.", low=0, high=0.95)
    l2: float | None = option(None, "Weight of the L2 penalty on what is trained.", low=0, high=1)
    class_weights: str = option("balanced", "Weigh classes by their rarity, or not.", choices=("balanced", "none"))
    optimizer: str | None = option(
        None, "Adam, Adam with --weight-decay, or SGD with Nesterov momentum 0.9.", choices=OPTIMIZERS
    )
    weight_decay: float | None = option(
        None, "Decoupled weight decay of sgd and adamw (there 0.0001 where not given).", low=0, high=1
    )
    warm_up: float | None = option(
        None, "Share of a stage's steps over which the learning rate of the cosine rises.", low=0, high=0.9
    )
    layer_decay: float = option(
        1.0, "Factor on the learning rate from one layer to the one below it.", low=0.01, high=1
    )
    clip_norm: float | None = option(None, "Largest norm of the gradient of all weights together.", low=1e-6, high=1e6)
    label_smoothing: float | None = option(None, "Share of each label spread over all classes.", low=0, high=0.9)
    focal_gamma: float = option(0.0, "Exponent of the focal loss; 0 is cross-entropy.", low=0, high=10)
    mixup: float = option(0.0, "Alpha of mixup: pairs of images are mixed; 0 mixes none.", low=0, high=10)
    ema: float | None = option(
        None, "Use the moving average of the weights with this momentum, for example 0.99.", low=0.01, high=0.99999
    )
    precision: str | None = option(
        None,
        "Numbers to compute with in training; auto takes bfloat16 for the parts that it makes clearly faster. "
        "Default: auto, with --deterministic float32.",
        choices=PRECISIONS,
    )
    mixed_precision: bool = option(False, "Of version 0.1: --precision auto.", hidden=True)
