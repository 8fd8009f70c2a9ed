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
from medxray.training.loop import StageRun, assign, train_stage
from medxray.training.prefix_cache import default_cache_dir, parse_size

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, eq=False)
class Work:
    """What the stages of a run share.

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


def build_features(model, plan, *, images, config):
    """Fill the cache for every stage of the plan; None when the run trains on-line.

    Time and disk are measured and told first. A cache beyond `--cache-budget` or the free disk is not begun.
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
    if features.total_bytes > budget:
        log.warning(
            "The cache of frozen activations would take %s, more than --cache-budget %s: the frozen layers are "
            "computed again whenever they are needed.",
            _size(features.total_bytes),
            _size(budget),
        )
        return False
    existing = next(folder for folder in (cache_dir, *cache_dir.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if features.missing_bytes > free:
        log.warning(
            "The cache of frozen activations needs %s more, but %s has %s left: the frozen layers are computed again "
            "whenever they are needed. Free disk space or give --cache-dir.",
            _size(features.missing_bytes),
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


def train_stages(work, timed):
    """Train all stages that are not finished and leave the best weights in the model.

    Args:
        work: Work.
        timed: function name -> context manager that measures a phase.

    Returns:
        Position after the last stage.
    """
    state = load_state(work.run.state_file)
    names = [stage.name for stage in work.plan]
    first = names.index(state[0].stage) if state else 0
    position = Position(names[0])
    for stage in work.plan[first:]:
        start = state if state else Position(stage.name, history=position.history)
        with timed(stage.name):
            position = _train(work, stage, start)
        state = None
    return position


def _train(work, stage, start):
    freeze_before(work.model, stage.cut, train_normalization=stage.cut is None, l2=work.l2)
    part = suffix(work.model, stage.cut, work.output)
    model, train, validation = _cached(work, stage, part) if work.features else _online(work)
    views = work.config.views if work.features else 0
    rows = work.images.rows["train"]
    return train_stage(
        StageRun(
            stage=stage,
            model=model,
            variables=part.variables,
            train=train,
            validation=validation,
            view_of=lambda epoch: str(epoch % views) if views else "on-line",
            config=work.config,
            run=work.run,
            objective=work.objective,
        ),
        steps=-(-len(rows) // work.config.batch_size),
        state=start,
    )


def _cached(work, stage, part):
    rows, config = work.images.rows, work.config

    def batches(split, order, view=None):
        return cached_batches(
            work.features.read(stage.cut, split, view),
            work.images.labels[rows[split]],
            order=order,
            batch_size=config.batch_size,
            weights=work.weights[rows[split]],
        )

    def train(epoch):
        order = epoch_order(len(rows["train"]), seed=config.seed, epoch=epoch)
        return batches("train", order, epoch % config.views)

    return part, train, batches("val", range(len(rows["val"])))


def _online(work):
    """A training-only model that augments its images first; at validation the augmentation does nothing."""
    rows, config = work.images.rows, work.config
    parameters = keras.Input((PARAMETERS,), name="parameters")
    image = keras.Input(work.model.input_shape[1:], name="raw_image")
    model = keras.Model([image, parameters], suffix(work.model, None, work.output)(Augment()(image, parameters)))

    def train(epoch):
        order = rows["train"][epoch_order(len(rows["train"]), seed=config.seed, epoch=epoch)]
        return image_batches(work.images, order, batch_size=config.batch_size, weights=work.weights, epoch=epoch)

    validation = image_batches(work.images, rows["val"], batch_size=config.batch_size, weights=work.weights, epoch=None)
    return model, train, validation


def load_best(model, plan, run, *, output=LOGITS):
    """Put the best weights of the last checkpoint into a model; False when there is no checkpoint."""
    state = load_state(run.state_file)
    if state is None:
        return False
    stage = next(stage for stage in plan if stage.name == state[0].stage)
    assign(suffix(model, stage.cut, output).variables, state[3])
    return True
