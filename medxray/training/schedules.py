"""Learning rates."""

import keras

_FLOOR = 0.01  # the cosine ends at this share of the peak
_PLATEAU_FACTOR, _PLATEAU_PATIENCE = 0.3, 2


def learning_rate(schedule, peak, *, steps):
    """What Adam is given for a stage of `steps` steps.

    Args:
        schedule: "cosine" warms up linearly over a twentieth of the steps (at most 200) and then decays to a
            hundredth of the peak; "plateau" is constant until `plateau_factor` lowers it.
        peak: highest learning rate.
        steps: number of optimizer steps of the stage.

    Returns:
        float or keras LearningRateSchedule. Source: Loshchilov and Hutter (2017), SGDR, eq. 5, without restarts.
    """
    if schedule == "plateau":
        return peak
    warm_up = min(200, max(1, steps // 20))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak * _FLOOR,
        decay_steps=max(1, steps - warm_up),
        alpha=_FLOOR,
        warmup_target=peak,
        warmup_steps=warm_up,
    )


def plateau_factor(current, *, epochs_since_best):
    """Factor on the peak rate after an epoch: times 0.3 after every two epochs without a better validation loss."""
    waited = epochs_since_best and epochs_since_best % _PLATEAU_PATIENCE == 0
    return current * _PLATEAU_FACTOR if waited else current
