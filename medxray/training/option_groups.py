"""The options that every kind of run has, by what they are about. No TensorFlow.

A group says what an option is; the configuration of a kind of run says its defaults. Where a group has the default
None, the configuration restates the option with its own default, or fills it in when it is resolved.
"""

from dataclasses import dataclass

from medxray.data.layouts.choices import UNCERTAIN
from medxray.data.resizing import RESIZES
from medxray.metrics.threshold_rules import USUAL_RULE
from medxray.models.registry import ARCHITECTURES
from medxray.training.options import option

SCHEDULES = ("cosine", "plateau")

WEIGHTS = ("auto", "imagenet", "hed", "none")
AUGMENTS = ("none", "light", "standard", "strong", "robust")
CSV_OPTIONS = ("path_col", "label_col", "patient_col", "split_col", "image_root", "positive_finding", "uncertain")
LARGEST_SIZE = 2048  # height and width of the input in pixels


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Which network, and where its weights come from."""

    arch: str | None = option(None, "Architecture.", choices=ARCHITECTURES)
    weights: str | None = option(None, "auto, imagenet, hed, none, or a file.", names=WEIGHTS)


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Which images, and how they are split."""

    data: str = option("data", "Folder, CSV or MedMNIST file (npz) of images.", path=True)
    task: str | None = option(None, "Which classes; found out from the data when left out.")
    label_map: str | None = option(None, "Labels of the data, and the classes they mean: a=NORMAL,b=PNEUMONIA.")
    path_col: str | None = option(None, "CSV: column with image paths or names.", metavar="NAME")
    label_col: str | None = option(None, "CSV: column with labels.", metavar="NAME")
    patient_col: str | None = option(None, "CSV: column with patient ids.", metavar="NAME")
    split_col: str | None = option(None, "CSV: column with train, val or test.", metavar="NAME")
    image_root: str | None = option(None, "CSV: folder that image paths count from, instead of its own.", path=True)
    positive_finding: str | None = option(
        None, "CSV: finding that makes an image positive where a label joins several.", metavar="NAME"
    )
    uncertain: str | None = option(None, "CSV: what becomes of images with the label -1.", choices=UNCERTAIN)
    split_file: str | None = option(None, "split.csv of an earlier run, to use the same split.", path=True)
    limit: int | None = option(None, "Use a stratified subset of that many images, for trials.", low=16)
    strict: bool = option(False, "Stop at the first file that cannot be read.")


@dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """How an image becomes the input of a model."""

    image_size: int | None = option(None, "Height and width of the model input in pixels.", low=1, high=LARGEST_SIZE)
    channels: int | None = option(None, "1 for grey, 3 for colour images.", choices=(1, 3))
    resize: str | None = option(None, "Keep the aspect ratio with a black border, or not.", choices=RESIZES)
    augment: str | None = option(None, "Strength of augmentation of training images.", choices=AUGMENTS)
    augment_seed: int | None = option(
        None, "Seed of augmentation; runs with the same one share what is cached.", low=0, high=2**31 - 1
    )


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How weights are found, and the threshold behind them."""

    epochs: int | None = option(None, "Epochs.", low=1)
    batch_size: int | None = option(None, "Images per step.", low=1, high=4096)
    learning_rate: float | None = option(None, "Peak learning rate.", low=1e-8, high=10)
    schedule: str | None = option(None, "Cosine with warm-up, or reduce on plateau.", choices=SCHEDULES)
    patience: int | None = option(None, "Epochs without a better one before training stops.", low=1)
    threshold_rule: str = option(
        USUAL_RULE, "youden:0.95, youden, sensitivity:0.95, cost:FN/FP or 0.5; chosen on validation images."
    )
    seed: int = option(
        0,
        "Seed of split, initialisation, order and all else that is drawn at random, but for augmentation.",
        low=0,
        high=2**31 - 1,
    )
    deterministic: bool = option(False, "Bit-identical reruns and resumes.")


@dataclass(frozen=True, kw_only=True)
class TrackingOptions:
    """Programs beside the history file that a training is followed with."""

    tensorboard: bool = option(False, "Also write what TensorBoard shows, into the run.")
    mlflow: bool = option(False, "Also log to MLflow: to MLFLOW_TRACKING_URI, else to mlflow.db in the folder of runs.")


@dataclass(frozen=True, kw_only=True)
class PlaceOptions:
    """Where a run reads and writes."""

    cache_dir: str | None = option(None, "Folder of cached activations. Default: ~/.cache/medxray.", path=True)
    cache_budget: str | None = option(None, "Largest cache of a run; beyond it activations are computed again.")
    name: str | None = option(None, "Name of the run.")
    runs_dir: str = option("runs", "Folder of runs.", path=True)
    overwrite: bool = option(False, "Replace a run of the same name.")
    export: bool = option(True, "Write no SavedModel.")
    saved_models_dir: str = option("saved_models", "Folder of exported models.", path=True)
