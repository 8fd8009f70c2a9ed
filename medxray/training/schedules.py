"""Learning rates."""

import keras

_FLOOR = 0.01  # the cosine ends at this share of the peak
_WARM_UP = 0.05  # share of the steps
_PLATEAU_FACTOR, _PLATEAU_PATIENCE = 0.3, 2


def learning_rate(schedule, peak, *, steps, warm_up=None):
    """What the optimizer is given for a stage of `steps` steps.

    Args:
        schedule: "cosine" warms up linearly and then decays to a hundredth of the peak; "plateau" is constant until
            `plateau_factor` lowers it.
        peak: highest learning rate.
        steps: number of optimizer steps of the stage.
        warm_up: share of the steps over which the cosine rises; None: a twentieth.

    Returns:
        float or keras LearningRateSchedule. Source: Loshchilov and Hutter (2017), SGDR, eq. 5, without restarts.
    """
    if schedule == "plateau":
        return peak
    rising = max(1, int(steps * (_WARM_UP if warm_up is None else warm_up)))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak * _FLOOR,
        decay_steps=max(1, steps - rising),
        alpha=_FLOOR,
        warmup_target=peak,
        warmup_steps=rising,
    )


def plateau_factor(current, *, epochs_since_best):
    """Factor on the peak rate after an epoch: times 0.3 after every two epochs without a better epoch."""
    waited = epochs_since_best and epochs_since_best % _PLATEAU_PATIENCE == 0
    return current * _PLATEAU_FACTOR if waited else current
