"""Runs the stages of a plan on cached features or on images, and picks up where a checkpoint ends."""

import dataclasses
import logging
import shutil
from pathlib import Path

import keras

from medxray.data.augment import PARAMETERS, Augment
from medxray.models.classifier import freeze_before, suffix
from medxray.models.heads import LOGITS
from medxray.training.batches import cached_batches, epoch_order, image_batches
from medxray.training.checkpoint import Position, load_state
from medxray.training.features import PrefixFeatures
from medxray.training.listeners import EpochLog, HistoryFile
from medxray.training.loop import StageSetup, assign, train_stage
from medxray.training.prefix_cache import default_cache_dir, parse_size
from medxray.training.validation import trained_normalizations

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingSetup:
    """What all stages of a run share.

    Attributes:
        model: the classifier.
        plan: tuple of modes.Stage.
        images: features.ImageSet.
        features: features.PrefixFeatures, or None to train on-line.
        weights: float32 array (n,), sample weights of all rows.
        config: resolved TrainConfig.
        run: RunDir.
        objective: objectives.Objective.
        output: name of the layer that the objective looks at.
        l2: L2 penalty on the kernels that become trainable.
        listeners: further listeners.EpochListener objects, called after those for history file and log.
    """

    model: keras.Model
    plan: tuple
    images: object
    features: object
    weights: object
    config: object
    run: object
    objective: object
    output: str = LOGITS
    l2: float = 0.0
    listeners: tuple = ()


def build_features(model, plan, *, images, config):
    """Fill the cache for every stage of the plan; None when the run trains on-line.

    Time and disk are measured and logged first. A cache beyond `--cache-budget` or the free disk is not begun.
    """
    if config.views == 0 or plan[-1].cut is None:
        return None
    cuts = tuple(dict.fromkeys(stage.cut for stage in reversed(plan)))
    return cached_features(model, cuts, images=images, views=config.views, config=config)


def cached_features(model, cuts, *, images, views, config):
    """Fill the cache of some layers' activations; None where it is too large. Arguments as for PrefixFeatures."""
    cache_dir = Path(config.cache_dir) if config.cache_dir else default_cache_dir()
    features = PrefixFeatures(model, cuts, arch=config.arch, image_set=images, views=views, cache_dir=cache_dir)
    if not _fits(features, cache_dir, parse_size(config.cache_budget)):
        return None
    _announce(features, cache_dir)
    features.build()
    return features


def _fits(features, cache_dir, budget):
    total = features.total_bytes + features.later_bytes
    if total > budget:
        log.warning(
            "The cache of frozen activations would take %s, more than --cache-budget %s: the frozen layers are "
            "computed again whenever they are needed.",
            _size(total),
            _size(budget),
        )
        return False
    existing = next(folder for folder in (cache_dir, *cache_dir.absolute().parents) if folder.exists())
    free, missing = shutil.disk_usage(existing).free, features.missing_bytes
    if missing and missing + features.later_bytes > free:
        log.warning(
            "The cache of frozen activations needs %s more, but %s has %s left: the frozen layers are computed again "
            "whenever they are needed. Free disk space or give --cache-dir.",
            _size(missing + features.later_bytes),
            existing,
            _size(free),
        )
        return False
    return True


def _announce(features, cache_dir):
    if not features.missing_rows:
        log.info("Frozen layers: all activations found in %s (%s).", cache_dir, _size(features.total_bytes))
        return
    seconds = features.seconds_per_image() * features.missing_rows
    log.info(
        "Frozen layers: %d images and views to compute once, about %s, %s in %s.",
        features.missing_rows,
        f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s",
        _size(features.missing_bytes),
        cache_dir,
    )


def _size(count):
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def train_stages(setup, timed):
    """Train all stages that are not finished and leave the best weights in the model.

    Args:
        setup: TrainingSetup.
        timed: function name -> context manager that measures a phase.

    Returns:
        Position after the last stage.
    """
    state = load_state(setup.run.state_file)
    names = [stage.name for stage in setup.plan]
    first = names.index(state[0].stage) if state else 0
    position = state[0] if state else Position(names[0])
    listeners = (HistoryFile(setup.run.history_file, position.history), EpochLog(), *setup.listeners)
    for stage in setup.plan[first:]:
        start = state if state else Position(stage.name, history=position.history)
        with timed(stage.name):
            position = _train(setup, stage, start, listeners)
        state = None
    return position


def _train(setup, stage, start, listeners):
    freeze_before(setup.model, stage.cut, train_normalization=stage.cut is None, l2=setup.l2)
    part = suffix(setup.model, stage.cut, setup.output)
    model, train, validation = _cached(setup, stage, part) if setup.features else _online(setup)
    views = setup.config.views if setup.features else 0
    rows = setup.images.rows["train"]
    return train_stage(
        StageSetup(
            stage=stage,
            model=model,
            variables=part.variables,
            train=train,
            validation=validation,
            view_of=lambda epoch: str(epoch % views) if views else "on-line",
            config=setup.config,
            state_file=setup.run.state_file,
            objective=setup.objective,
            normalizations=trained_normalizations(part),
            listeners=listeners,
        ),
        steps=-(-len(rows) // setup.config.batch_size),
        state=start,
    )


def _cached(setup, stage, part):
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

    return part, train, batches("val", range(len(rows["val"])))


def _online(setup):
    """A training-only model that augments its images first; at validation the augmentation does nothing."""
    rows, config = setup.images.rows, setup.config
    parameters = keras.Input((PARAMETERS,), name="parameters")
    image = keras.Input(setup.model.input_shape[1:], name="raw_image")
    model = keras.Model([image, parameters], suffix(setup.model, None, setup.output)(Augment()(image, parameters)))

    def train(epoch):
        order = rows["train"][epoch_order(len(rows["train"]), seed=config.seed, epoch=epoch)]
        return image_batches(setup.images, order, batch_size=config.batch_size, weights=setup.weights, epoch=epoch)

    validation = image_batches(
        setup.images, rows["val"], batch_size=config.batch_size, weights=setup.weights, epoch=None
    )
    return model, train, validation


def load_best(model, plan, run, *, output=LOGITS):
    """Put the best weights of the last checkpoint into a model; False when there is no checkpoint."""
    state = load_state(run.state_file)
    if state is None:
        return False
    stage = next(stage for stage in plan if stage.name == state[0].stage)
    assign(suffix(model, stage.cut, output).variables, state[3])
    return True
