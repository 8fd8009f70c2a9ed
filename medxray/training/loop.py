"""The only caller of fit: one stage, epoch by epoch, resumable to the bit.

Each epoch is one `fit` call and ends in a checkpoint of everything that the next one depends on. The order of images is
a permutation drawn from (seed, epoch), augmentation from (seed, view, image), so a replayed epoch is the same epoch.
"""

import contextlib
import dataclasses
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from medxray.errors import TrainingError
from medxray.metrics.history import LOSS
from medxray.system import progress
from medxray.training.checkpoint import Position, save_state
from medxray.training.modes import HEAD
from medxray.training.optimizers import averages
from medxray.training.schedules import learning_rate, plateau_factor
from medxray.training.validation import Validator, estimate_statistics

log = logging.getLogger(__name__)
_FEW_STEPS = 200  # of a stage: with fewer the moving averages of batch normalisation lag behind


class EpochWatch(keras.callbacks.Callback):
    """Moves the progress bar and stops at once when the loss is no number."""

    def __init__(self, bar, where, remedy):
        super().__init__()
        self._bar, self._where, self._remedy = bar, where, remedy

    def on_train_batch_end(self, batch, logs=None):
        """Check the running loss after each batch."""
        loss = logs["loss"]
        if not math.isfinite(loss):
            raise TrainingError(f"The loss became {loss} in {self._where}, batch {batch + 1}. {self._remedy}")
        self._bar.advance(1, f"loss {loss:.4f}")


@dataclasses.dataclass(frozen=True, eq=False)
class StageSetup:
    """What the training of one stage needs.

    Attributes:
        stage: modes.Stage.
        model: keras.Model that ends in logits, for fit.
        variables: keras variables that training may change, random states of dropout included.
        train: function epoch -> tf.data.Dataset of (x, labels, weights).
        judged: keras.Model with the same layers for `validation`, whose inputs may be of another kind.
        validation: tf.data.Dataset of (x, labels, weights).
        view_of: function epoch -> text for the history.
        config: resolved TrainConfig.
        state_file: path of the checkpoint.
        objective: objectives.Objective.
        normalizations: BatchNormalization layers whose statistics training moves.
        optimizer: function (float or LearningRateSchedule) -> keras Optimizer.
        listeners: listeners.EpochListener objects, called in this order.
        precision: in which the layers compute, see models.precision.
    """

    stage: object
    model: keras.Model
    variables: list
    train: object
    judged: keras.Model
    validation: object
    view_of: object
    config: object
    state_file: Path
    objective: object
    normalizations: list
    optimizer: Callable
    listeners: tuple
    precision: str = "float32"


def train_stage(setup, *, steps, state):
    """Train one stage and leave the best epoch's weights in the model.

    Args:
        setup: StageSetup.
        steps: optimizer steps per epoch.
        state: what `checkpoint.load_state` returned for this stage, or a Position to start from.

    Returns:
        Position after the last epoch.

    Raises:
        TrainingError: the loss is not a number.
    """
    _compile(setup, steps)
    position, best = _restore(setup, state)
    validate = _validation(setup, few=steps * setup.stage.epochs < _FEW_STEPS)
    if position.epoch == 0:
        position, best = _start(setup, position, validate)
    while position.epoch < setup.stage.epochs and position.epoch - position.best_epoch < setup.config.patience:
        position, best = _one_epoch(setup, position, best, validate=validate)
    if position.epoch < setup.stage.epochs:
        log.info("Stopped early: no better epoch for %d epochs.", setup.config.patience)
    log.info("Best epoch of stage %s: %d.", setup.stage.name, position.best_epoch)
    assign(setup.variables, best)
    return position


def _compile(setup, steps):
    steps, warm_up = steps * setup.stage.epochs, getattr(setup.config, "warm_up", None)
    rate = learning_rate(setup.config.schedule, setup.stage.learning_rate, steps=steps, warm_up=warm_up)
    setup.model.compile(
        optimizer=setup.optimizer(rate),
        loss=setup.objective.loss,
        metrics=setup.objective.metrics(),
        jit_compile=False,
    )
    setup.model.optimizer.build(setup.model.trainable_variables)


def _restore(setup, state):
    if isinstance(state, Position):
        return state, _values(setup.variables)
    position, variables, optimizer, best = state
    assign(setup.variables, variables)
    assign(setup.model.optimizer.variables, optimizer)
    return position, best


def _validation(setup, *, few):
    """Function epoch (from 0) -> validation figures; the statistics of batch normalisation are made ready first."""
    validator = Validator(setup.judged, setup.validation, setup.objective)

    def validate(epoch):
        if few and setup.normalizations:
            estimate_statistics(setup.model, setup.normalizations, setup.train(epoch))
        return validator.measure()

    return validate


def _start(setup, position, validate):
    """The starting weights take part: they are epoch 0, and the best until an epoch is better."""
    begin = time.perf_counter()
    row = _history_row(setup, 0, validate(0), seconds=time.perf_counter() - begin)
    _notify(setup, row)
    position = dataclasses.replace(
        position, best_loss=row.get(setup.objective.watched, row[LOSS]), history=(*position.history, row)
    )
    return position, _values(setup.variables)


def _values(variables):
    return [variable.numpy() for variable in variables]


def assign(variables, values):
    """Set keras variables to arrays, one by one."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _one_epoch(setup, position, best, *, validate):
    stage, model, epoch = setup.stage, setup.model, position.epoch
    where = f"stage {stage.name}, epoch {epoch + 1}"
    dataset = setup.train(epoch)
    if setup.config.schedule == "plateau":
        model.optimizer.learning_rate = stage.learning_rate * position.rate_factor
    begin = time.perf_counter()
    with progress.track(int(dataset.cardinality()), f"{stage.name} {epoch + 1}/{stage.epochs}") as bar:
        report = model.fit(
            dataset,
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=0,
            shuffle=False,
            callbacks=[EpochWatch(bar, where, _remedy(setup))],
        )
    trained = {name: float(values[0]) for name, values in report.history.items()}
    rate = float(np.asarray(model.optimizer.learning_rate))
    with averaged(model):
        measured = trained | validate(epoch) | {"learning_rate": rate}
        row = _history_row(setup, epoch + 1, measured, seconds=time.perf_counter() - begin)
        position = _advance(position, row, _watched(setup, position))
        if position.best_epoch == position.epoch:
            best = _values(setup.variables)
    _notify(setup, row)
    save_state(
        setup.state_file,
        position,
        variables=_values(setup.variables),
        optimizer=_values(model.optimizer.variables),
        best=best,
    )
    return position, best


@contextlib.contextmanager
def averaged(model):
    """Put the moving averages of the weights, where the optimizer keeps them, into a model for a while."""
    pairs = averages(model.optimizer, model.trainable_variables)
    before = [variable.numpy() for variable, _ in pairs]
    for variable, average in pairs:
        variable.assign(average)
    try:
        yield
    finally:
        assign([variable for variable, _ in pairs], before)


def _notify(setup, row):
    values = {name: value for name, value in row.items() if name not in ("stage", "epoch")}
    for listener in setup.listeners:
        listener.on_epoch(setup.stage, row["epoch"], values)


def _history_row(setup, epoch, measured, *, seconds):
    loss = measured[LOSS]
    if not math.isfinite(loss) and not epoch:
        raise TrainingError(
            f"The validation loss of the starting weights of stage {setup.stage.name} is {loss}: they "
            "hold numbers that are too large. Give other --weights."
        )
    if not math.isfinite(loss):
        raise TrainingError(
            f"The validation loss became {loss} in stage {setup.stage.name}, epoch {epoch}. {_remedy(setup)}"
        )
    view = setup.view_of(epoch - 1) if epoch else ""
    return {"stage": setup.stage.name, "epoch": epoch, **measured, "seconds": round(seconds, 2), "view": view}


def _remedy(setup):
    """What to do when a loss is no number; a resumed run keeps its options."""
    rate = "--head-learning-rate" if setup.stage.name == HEAD else "--learning-rate"
    precision = "" if setup.precision == "float32" else " or --precision float32"
    return f"Train a new run with a lower {rate}{precision}."


def _watched(setup, position):
    """The column that keeps an epoch: the validation loss where the rows of the stage have no other one."""
    name = setup.objective.watched
    return name if all(name in row for row in position.history if row["stage"] == setup.stage.name) else LOSS


def _advance(position, row, watched):
    better = row[watched] < position.best_loss
    best_epoch = row["epoch"] if better else position.best_epoch
    return dataclasses.replace(
        position,
        epoch=row["epoch"],
        best_loss=row[watched] if better else position.best_loss,
        best_epoch=best_epoch,
        rate_factor=plateau_factor(position.rate_factor, epochs_since_best=row["epoch"] - best_epoch),
        history=(*position.history, row),
    )
