"""What a stage is fitted on: its model, and batches of cached activations or of images."""

import keras

from medxray.data.augment import PARAMETERS, Augment
from medxray.models.classifier import suffix
from medxray.models.folding import folded
from medxray.training.batches import cached_batches, epoch_order, image_batches
from medxray.training.features import CLEAN
from medxray.training.mixup import Mix, mix_batches


def cached_training(setup, stage, part):
    """Model for fit, and function epoch -> batches of cached activations of that epoch's view."""
    count, config = len(setup.images.rows["train"]), setup.config

    def train(epoch):
        order = epoch_order(count, seed=config.seed, epoch=epoch)
        return _cached_batches(setup, stage, "train", order, epoch % config.views)

    if not _alpha(setup):
        return part, train
    start = keras.Input(part.input_shape[1:], name="activations")
    return _mixing(part, [start], start), _mixed(setup, train)


def cached_validation(setup, stage, part):
    """Model and batches of cached activations of validation images."""
    return part, _cached_batches(setup, stage, "val", range(len(setup.images.rows["val"])), CLEAN)


def _cached_batches(setup, stage, name, order, view):
    rows = setup.images.rows[name]
    return cached_batches(
        setup.features.read(stage.cut, name, view),
        setup.images.labels[rows],
        order=order,
        batch_size=setup.config.batch_size,
        weights=setup.weights[rows],
    )


def online_training(setup):
    """Model for fit that augments its images first, and function epoch -> batches of images with parameters."""
    rows, config = setup.images.rows["train"], setup.config
    inputs, augmented, part = _augmenting(setup)

    def train(epoch):
        order = rows[epoch_order(len(rows), seed=config.seed, epoch=epoch)]
        return image_batches(setup.images, order, batch_size=config.batch_size, weights=setup.weights, epoch=epoch)

    if not _alpha(setup):
        return keras.Model(inputs, part(augmented)), train
    return _mixing(part, inputs, augmented), _mixed(setup, train)


def online_validation(setup):
    """The same model without mixing, whose augmentation does nothing here, and batches of validation images."""
    rows, config = setup.images.rows["val"], setup.config
    inputs, augmented, part = _augmenting(setup)
    batches = image_batches(setup.images, rows, batch_size=config.batch_size, weights=setup.weights, epoch=None)
    return keras.Model(inputs, part(augmented)), batches


def _augmenting(setup):
    """Inputs, the augmented images, and the whole model behind them."""
    parameters = keras.Input((PARAMETERS,), name="parameters")
    image = keras.Input(setup.model.input_shape[1:], name="raw_image")
    part = folded(suffix(setup.model, None, setup.output), training=True)
    return [image, parameters], Augment()(image, parameters), part


def _alpha(setup):
    return getattr(setup.config, "mixup", 0.0)


def _mixing(part, inputs, tensor):
    """The model for fit that mixes pairs of a batch before the trained part."""
    shares = keras.Input((1,), name="shares")
    return keras.Model([*inputs, shares], part(Mix()(tensor, shares)))


def _mixed(setup, train):
    """Function epoch -> batches with labels and weights mixed."""
    count, config = len(setup.images.rows["train"]), setup.config
    settings = {"count": count, "batch_size": config.batch_size, "classes": setup.model.output_shape[-1]}
    return lambda epoch: mix_batches(train(epoch), _alpha(setup), seed=[config.seed, epoch], **settings)
