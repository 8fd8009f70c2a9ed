"""The learning-rate range test: train for some steps with a rising rate, and see where the loss falls fastest.

Source: Smith (2017), Cyclical learning rates, arXiv:1506.01186, section 3.3; deviations: the rate rises by a factor and
not by a summand, the loss is smoothed, and the rate where it falls fastest is suggested.
"""

import itertools
import math

import numpy as np
import pandas as pd

from medxray.errors import TrainingError
from medxray.system import progress

AUTO = "auto"  # instead of a learning rate
STEPS, LOWEST, HIGHEST = 100, 1e-7, 1.0
_SMOOTHING = 0.9  # weight of the past in the smoothed loss
_DIVERGED = 4  # times the lowest smoothed loss
_SKIPPED = 10  # first steps, whose smoothed loss rests on few batches


def rate_curve(model, batches_of, optimizer, objective):
    """Losses of one pass with a rising learning rate. The weights change: the caller puts them back.

    Args:
        model: keras.Model for fit.
        batches_of: function epoch -> tf.data.Dataset of (x, labels, weights).
        optimizer: function rate -> keras Optimizer.
        objective: objectives.Objective.

    Returns:
        DataFrame with `learning_rate`, `loss` of the batch at this rate, and `smoothed`. It ends where the loss is no
        number or four times its lowest.
    """
    model.compile(optimizer=optimizer(LOWEST), loss=objective.loss, jit_compile=False)
    rows, mean, lowest = [], 0.0, math.inf
    with progress.track(STEPS, "Learning rates") as bar:
        for step, (inputs, labels, weights) in enumerate(itertools.islice(_endless(batches_of), STEPS)):
            rate = LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1))
            model.optimizer.learning_rate = rate
            model.reset_metrics()
            loss = float(model.train_on_batch(inputs, labels, sample_weight=weights))
            mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
            smoothed = mean / (1 - _SMOOTHING ** (step + 1))
            lowest = min(lowest, smoothed)
            if not math.isfinite(loss) or smoothed > _DIVERGED * lowest:
                break
            rows.append({"learning_rate": rate, "loss": loss, "smoothed": smoothed})
            bar.advance(1)
    return pd.DataFrame(rows, columns=["learning_rate", "loss", "smoothed"])


def _endless(batches_of):
    for epoch in itertools.count():
        yield from batches_of(epoch)


def suggested_rate(curve):
    """The learning rate at which the smoothed loss falls fastest over the logarithm of the rate, float.

    Args:
        curve: DataFrame of `rate_curve`.

    Raises:
        TrainingError: the loss does not fall anywhere.
    """
    later = curve.iloc[_SKIPPED:]
    slopes = np.gradient(later["smoothed"].to_numpy()) if len(later) > 1 else np.zeros(1)
    if slopes.min() >= 0:
        raise TrainingError(
            f"No learning rate between {LOWEST:g} and {HIGHEST:g} lowers the loss in {STEPS} steps. Give "
            "--learning-rate as a number, or look at data and labels."
        )
    return float(f"{later['learning_rate'].iloc[int(slopes.argmin())]:.2g}")
