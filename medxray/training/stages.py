"""Runs the stages of a plan on cached features or on images, and picks up where a checkpoint ends."""

import dataclasses
import logging
import shutil
from pathlib import Path

import keras

from medxray.models.classifier import freeze_before, suffix
from medxray.models.heads import LOGITS
from medxray.training.checkpoint import Position, load_state
from medxray.training.features import PrefixFeatures
from medxray.training.listeners import EpochLog, HistoryFile
from medxray.training.loop import StageSetup, assign, train_stage
from medxray.training.optimizers import build_optimizer, depth_factors
from medxray.training.prefix_cache import default_cache_dir, parse_size
from medxray.training.rate_search import AUTO, rate_curve, suggested_rate
from medxray.training.stage_inputs import cached_inputs, online_inputs
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
        train_normalization: whether batch normalisation of the backbone learns where a stage trains every layer.
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
    train_normalization: bool = True
    listeners: tuple = ()


def build_features(model, plan, *, images, config):
    """Fill the cache for every stage of the plan; None when the run trains on-line.

    Time and disk are measured and logged first. A cache beyond `--cache-budget` or the free disk is not begun.
    """
    cuts = tuple(dict.fromkeys(stage.cut for stage in reversed(plan) if stage.cut is not None))
    if config.views == 0 or not cuts:
        return None
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
        return rate_curve(found.model, found.train, found.optimizer, found.objective)
    finally:
        assign(found.variables, before)


def _train(setup, stage, start, listeners):
    steps = -(-len(setup.images.rows["train"]) // setup.config.batch_size)
    return train_stage(_stage_setup(setup, stage, listeners), steps=steps, state=start)


def _stage_setup(setup, stage, listeners):
    train_normalization = stage.cut is None and setup.train_normalization
    freeze_before(setup.model, stage.cut, train_normalization=train_normalization, l2=setup.l2)
    part = suffix(setup.model, stage.cut, setup.output)
    cached = setup.features is not None and stage.cut is not None
    model, train, validation = cached_inputs(setup, stage, part) if cached else online_inputs(setup)
    views = setup.config.views if cached else 0
    return StageSetup(
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
        optimizer=_optimizer(setup.config, part),
        listeners=listeners,
    )


def _optimizer(config, model):
    """Function rate -> optimizer for the trainable layers of a model."""
    decay = getattr(config, "layer_decay", 1.0)
    factors = depth_factors(model, decay) if decay < 1 else None
    return lambda rate: build_optimizer(config, rate, factors=factors)


def load_best(model, plan, run, *, output=LOGITS):
    """Put the best weights of the last checkpoint into a model; False when there is no checkpoint."""
    state = load_state(run.state_file)
    if state is None:
        return False
    stage = next(stage for stage in plan if stage.name == state[0].stage)
    assign(suffix(model, stage.cut, output).variables, state[3])
    return True
