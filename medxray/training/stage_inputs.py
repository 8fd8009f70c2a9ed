"""What a stage is fitted on: its model, and batches of cached activations or of images."""

import keras

from medxray.data.augment import PARAMETERS, Augment
from medxray.models.classifier import suffix
from medxray.training.batches import cached_batches, epoch_order, image_batches
from medxray.training.mixup import Mix, mix_batches, unmixed


def cached_inputs(setup, stage, part):
    """Model for fit, function epoch -> batches, and validation batches, on cached activations."""
    rows, config = setup.images.rows, setup.config

    def batches(split, order, view=None):
        return cached_batches(
            setup.features.read(stage.cut, split, view),
            setup.images.labels[rows[split]],
            order=order,
            batch_size=config.batch_size,
            weights=setup.weights[rows[split]],
        )

    def train(epoch):
        order = epoch_order(len(rows["train"]), seed=config.seed, epoch=epoch)
        return batches("train", order, epoch % config.views)

    validation = batches("val", range(len(rows["val"])))
    if not _alpha(setup):
        return part, train, validation
    start = keras.Input(part.input_shape[1:], name="activations")
    return _mixing(part, [start], start), _mixed(setup, train), unmixed(validation)


def online_inputs(setup):
    """The same on images: a training-only model augments them first; at validation the augmentation does nothing."""
    rows, config = setup.images.rows, setup.config
    parameters = keras.Input((PARAMETERS,), name="parameters")
    image = keras.Input(setup.model.input_shape[1:], name="raw_image")
    augmented = Augment()(image, parameters)
    part = suffix(setup.model, None, setup.output)

    def train(epoch):
        order = rows["train"][epoch_order(len(rows["train"]), seed=config.seed, epoch=epoch)]
        return image_batches(setup.images, order, batch_size=config.batch_size, weights=setup.weights, epoch=epoch)

    validation = image_batches(
        setup.images, rows["val"], batch_size=config.batch_size, weights=setup.weights, epoch=None
    )
    if not _alpha(setup):
        return keras.Model([image, parameters], part(augmented)), train, validation
    return _mixing(part, [image, parameters], augmented), _mixed(setup, train), unmixed(validation)


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
