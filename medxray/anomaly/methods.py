"""The table of anomaly methods: one row says all that a method is. Readable without TensorFlow.

What a row builds is imported when it is called. A new method is one row here and one file that fits it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from medxray.anomaly.choices import AUTOENCODER_MINIMUM, DIMENSIONS, SHARE


def as_many(model, most):
    """How many images a model takes at a time where nothing limits them.

    Args:
        model: keras.Model.
        most: int, 1 or more.

    Returns:
        int, `most`.
    """
    return most


def no_reference(model, images):
    """The reference maps of a method that has none.

    Args:
        model: keras.Model.
        images: float32 tensor (n,H,W,C), 0-255.

    Returns:
        None.
    """
    return None


@dataclass(frozen=True)
class Method:
    """One way to describe normal images.

    Attributes:
        name: what users type after `--method`.
        trainer: (RunDir, resolved AnomalyConfig, image_set.ImageSet, listeners.EpochListener objects) -> trainer,
            see below.
        options: the options of AnomalyConfig that this method shares with some others or has alone, with their
            defaults; None: decided from the rest. An option that is missing here is refused.
        unit: of the map, for the colour bar.
        title: what it is, for the model card.
        raw_scores: what the raw score of an image is, by `image_score` (None for a method without that option).
        card_options: options that the model card gives.
        minimum_size: smallest height and width of the input in pixels, where no architecture says one.
        images_at_once: (model, most) -> how many images the model may take at a time, 1 to `most`.
        reference_maps: (model, float32 images (n,H,W,C), 0-255) -> float64 (n,h,w), the maps computed in an
            independent way, or None.

    A trainer has `fit(timed) -> keras.Model` with the layers that `score.finish_detector` needs, `raw_scores(images,
    name, model=None) -> float64 (n,)`, `pooled(rows)`, `history`, and `best_so_far()`, the model of an interrupted
    training or None. A method without epochs has no use for listeners.
    """

    name: str
    trainer: Callable
    options: Mapping
    unit: str
    title: str
    raw_scores: Mapping
    card_options: tuple[str, ...]
    minimum_size: int = 1
    images_at_once: Callable = as_many
    reference_maps: Callable = no_reference

    @property
    def has_backbone(self):
        """Whether the method looks through the convolutions of an architecture."""
        return "arch" in self.options

    @property
    def has_epochs(self):
        """Whether it is trained in epochs, of which one is the best."""
        return "epochs" in self.options


def _autoencoder_trainer(run, config, images, listeners):
    from medxray.anomaly.autoencoder_trainer import AutoencoderTrainer

    return AutoencoderTrainer(run, config, images, listeners)


def _padim_trainer(run, config, images, listeners):
    from medxray.anomaly.padim import fit_padim
    from medxray.anomaly.patch_trainer import PatchTrainer

    def fit(patches):
        return fit_padim(patches, dimensions=config.dimensions, seed=config.seed)

    return PatchTrainer(run, config, images, fit=fit)


def _patchcore_trainer(run, config, images, listeners):
    from medxray.anomaly.patch_trainer import PatchTrainer
    from medxray.anomaly.patchcore import fit_patchcore, images_at_once

    def fit(patches):
        return fit_patchcore(patches, share=config.coreset, seed=config.seed)

    return PatchTrainer(run, config, images, fit=fit, images_at_once=images_at_once)


def _patchcore_images_at_once(model, most):
    from medxray.anomaly.patchcore import images_at_once

    return images_at_once(model, most)


def _patchcore_reference(model, images):
    from medxray.anomaly.patchcore import reference_maps

    return reference_maps(model, images)


PATCH_OPTIONS = {  # of every method that is fitted on patches of a backbone
    "arch": "vgg16",
    "weights": "auto",
    "backbone": None,
    "image_size": 224,
    "patch_scale": "none",
    "cache_dir": None,
    "cache_budget": "20GB",
}
METHODS = {
    row.name: row
    for row in (
        Method(
            name="autoencoder",
            trainer=_autoencoder_trainer,
            options={
                "weights": "none",
                "image_size": 64,
                "augment": "none",
                "augment_seed": 0,
                "epochs": 50,
                "batch_size": 32,
                "learning_rate": 1e-3,
                "schedule": "cosine",
                "patience": 10,
                "loss": "mix",
                "bottleneck": 64,
                "standardize": True,
            },
            unit="error of the reconstruction",
            title="convolutional autoencoder",
            raw_scores={None: "the mean error of the reconstruction"},
            card_options=("loss", "bottleneck", "standardize", "augment", "epochs"),
            minimum_size=AUTOENCODER_MINIMUM,
        ),
        Method(
            name="padim",
            trainer=_padim_trainer,
            options={**PATCH_OPTIONS, "image_score": "mean", "dimensions": DIMENSIONS},
            unit="Mahalanobis distance",
            title="PaDiM (Defard et al. 2020), a Gaussian of patch features at each position",
            raw_scores={
                "mean": "the mean Mahalanobis distance of its patches",
                "max": "the largest Mahalanobis distance of its patches",
            },
            card_options=("image_score", "patch_scale", "dimensions"),
        ),
        Method(
            name="patchcore",
            trainer=_patchcore_trainer,
            options={**PATCH_OPTIONS, "image_score": "max", "coreset": SHARE},
            unit="distance to the memory bank",
            title="PatchCore (Roth et al. 2021), a memory bank of patch features",
            raw_scores={
                "mean": "the mean distance of its patches to the memory bank",
                "max": "the weighted distance of the most distant patch to the memory bank",
            },
            card_options=("image_score", "patch_scale", "coreset"),
            images_at_once=_patchcore_images_at_once,
            reference_maps=_patchcore_reference,
        ),
    )
}
