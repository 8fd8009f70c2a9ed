"""Runs the stages of a plan on cached features or on images, and picks up where a checkpoint ends."""

import dataclasses
import logging

import keras
import numpy as np

from medxray.models.classifier import freeze_before, suffix
from medxray.models.folding import folded
from medxray.models.heads import LOGITS
from medxray.models.names import POOLED
from medxray.models.precision import FLOAT32, computed_in
from medxray.training.cache_budget import announce, keep_what_fits
from medxray.training.cache_folder import cache_folder, parse_size
from medxray.training.checkpoint import Position, load_state
from medxray.training.features import PrefixFeatures
from medxray.training.listeners import EpochLog, HistoryFile
from medxray.training.loop import StageSetup, assign, train_stage
from medxray.training.optimizers import build_optimizer, depth_factors
from medxray.training.precision import PREFIX, STEP, prefix_trial, step_trial
from medxray.training.rate_search import AUTO, rate_curve, suggested_rate
from medxray.training.stage_inputs import cached_training, cached_validation, online_training, online_validation
from medxray.training.validation import trained_normalizations

log = logging.getLogger(__name__)
_TRIED = 16  # images of the batch that the precision of the prefix is chosen by


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingSetup:
    """What all stages of a run share.

    Attributes:
        model: the classifier.
        plan: tuple of modes.Stage.
        images: image_set.ImageSet.
        features: features.PrefixFeatures, or None to train on-line.
        weights: float32 array (n,), sample weights of all rows.
        config: resolved TrainConfig.
        run: RunDir.
        objective: objectives.Objective.
        output: name of the layer that the objective looks at.
        l2: L2 penalty on the kernels that become trainable.
        train_normalization: whether batch normalisation of the backbone learns where a stage trains every layer.
        listeners: further listeners.EpochListener objects, called after those for history file and log.
        precisions: precision.Precisions; None: everything computes in float32.
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
    train_normalization: bool = True
    listeners: tuple = ()
    precisions: object = None


def build_features(model, plan, *, images, config, precisions):
    """Fill the cache for every stage of the plan that has frozen layers; None when the run trains on-line.

    Time and disk are measured and logged first. What is beyond `--cache-budget` or the free disk is not cached.

    Args:
        model: the classifier.
        plan: tuple of modes.Stage.
        images: image_set.ImageSet.
        config: resolved TrainConfig.
        precisions: precision.Precisions.
    """
    cuts = tuple(dict.fromkeys(stage.cut for stage in reversed(plan) if stage.cut is not None))
    if config.views == 0 or not cuts:
        return None
    return cached_features(model, cuts, images=images, views=config.views, config=config, precisions=precisions)


def cached_features(model, cuts, *, images, views, config, precisions=None):
    """Fill the cache of some layers' activations; None where all are too large. Arguments as for PrefixFeatures.

    The precision of augmented views is chosen by `precisions`; None: float32.
    """
    cache_dir = cache_folder(config)
    options = {"arch": config.arch, "image_set": images, "views": views, "cache_dir": cache_dir}
    features = PrefixFeatures(model, cuts, **options)
    if precisions is not None:
        precision = _prefix_precision(features, cuts, images, precisions)
        if precision != FLOAT32:
            features = PrefixFeatures(model, cuts, **options, precision=precision, frozen=features.frozen)
    if not keep_what_fits(features, cache_dir, parse_size(config.cache_budget)):
        return None
    announce(features, cache_dir)
    features.build()
    return features


def _prefix_precision(features, cuts, images, precisions):
    rows = images.rows["train"][:_TRIED]
    pixels = np.stack(list(images.images(rows).as_numpy_iterator()))
    trial = prefix_trial(features.frozen, cuts, pixels, images.parameters(rows, 0))
    return precisions.choose(PREFIX, trial, passes=features.missing_augmented / len(rows))


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
            position = _train(setup, _with_rate(setup, stage), start, listeners)
        state = None
    return position


def _with_rate(setup, stage):
    """The stage with a learning rate: where none is given, that of the record, else of a search."""
    if stage.learning_rate != AUTO:
        return stage
    known = setup.run.read_record().get("learning_rates", {})
    if stage.name not in known:
        known = known | {stage.name: suggested_rate(find_rate(setup, stage))}
        setup.run.update_record(learning_rates=known)
        log.info("Learning rate of stage %s: %g.", stage.name, known[stage.name])
    return dataclasses.replace(stage, learning_rate=known[stage.name])


def rate_curves(setup, timed):
    """Try learning rates on every stage that has none; stages before the last are then trained.

    Args:
        setup: TrainingSetup of a run that is not begun.
        timed: as for `train_stages`.

    Returns:
        dict name of a stage -> DataFrame of `rate_search.rate_curve`.
    """
    curves, position = {}, Position(setup.plan[0].name)
    for stage in setup.plan:
        if stage.learning_rate == AUTO:
            curves[stage.name] = find_rate(setup, stage)
            stage = dataclasses.replace(stage, learning_rate=suggested_rate(curves[stage.name]))
        if stage.name != setup.plan[-1].name:
            with timed(stage.name):
                position = _train(setup, stage, Position(stage.name, history=position.history), (EpochLog(),))
    return curves


def find_rate(setup, stage):
    """Try learning rates on a stage, see `rate_search.rate_curve`; the weights stay as they are."""
    found = _stage_setup(setup, stage, ())
    before = [variable.numpy() for variable in found.variables]
    try:
        with computed_in(setup.model, found.precision):
            return rate_curve(found.model, found.train, found.optimizer, found.objective)
    finally:
        assign(found.variables, before)


def _train(setup, stage, start, listeners):
    found = _stage_setup(setup, stage, listeners)
    with computed_in(setup.model, found.precision):
        return train_stage(found, steps=_steps(setup), state=start)


def _steps(setup):
    """Optimizer steps of an epoch."""
    return -(-len(setup.images.rows["train"]) // setup.config.batch_size)


def _stage_setup(setup, stage, listeners):
    train_normalization = stage.cut is None and setup.train_normalization
    freeze_before(setup.model, stage.cut, train_normalization=train_normalization, l2=setup.l2)
    part = suffix(setup.model, stage.cut, setup.output)
    augmented, unchanged = (_is_cached(setup, stage, augmented=which) for which in (True, False))
    quick = folded(part, training=True) if augmented or unchanged else part
    model, train = cached_training(setup, stage, quick) if augmented else online_training(setup)
    judged, validation = cached_validation(setup, stage, quick) if unchanged else online_validation(setup)
    precision = _step_precision(setup, stage, model, train, on_head=augmented and stage.cut == POOLED)
    return StageSetup(
        stage=stage,
        model=model,
        variables=part.variables,
        train=train,
        judged=judged,
        validation=validation,
        view_of=lambda epoch: str(epoch % setup.config.views) if augmented else "on-line",
        config=setup.config,
        state_file=setup.run.state_file,
        objective=setup.objective,
        normalizations=trained_normalizations(part),
        optimizer=_optimizer(setup.config, part, precision),
        listeners=listeners,
        precision=precision,
    )


def _is_cached(setup, stage, *, augmented):
    return setup.features is not None and setup.features.has(stage.cut, augmented=augmented)


def _step_precision(setup, stage, model, train, *, on_head):
    if setup.precisions is None or on_head:  # the head is float32 always
        return FLOAT32
    trial = step_trial(model, setup.model, next(iter(train(0)))[0])
    later = setup.plan[[one.name for one in setup.plan].index(stage.name) :]  # what is chosen holds for them, too
    return setup.precisions.choose(STEP, trial, passes=_steps(setup) * sum(one.epochs for one in later))


def _optimizer(config, model, precision):
    """Function rate -> optimizer for the trainable layers of a model."""
    decay = getattr(config, "layer_decay", 1.0)
    factors = depth_factors(model, decay) if decay < 1 else None
    return lambda rate: build_optimizer(config, rate, factors=factors, scale_loss=precision == "float16")


def load_best(model, plan, run, *, output=LOGITS):
    """Put the best weights of the last checkpoint into a model; False when there is no checkpoint."""
    state = load_state(run.state_file)
    if state is None:
        return False
    stage = next(stage for stage in plan if stage.name == state[0].stage)
    assign(suffix(model, stage.cut, output).variables, state[3])
    return True
