"""Optimizers whose rate and decay may differ from variable to variable."""

import keras

_SKIPPED = ("bias", "gamma", "beta")  # not decayed: shifts and scales are no weights of a filter


class _PerVariable:
    """Keras optimizer with a rate of its own for each variable, and decoupled weight decay at that rate.

    Source: Loshchilov and Hutter (2019), Decoupled weight decay, algorithm 2; rates by depth: Howard and Ruder (2018),
    ULMFiT, section 3.2.

    Args:
        rate: float or LearningRateSchedule, that of variables without a factor.
        decay: share of a kernel, times its rate, that is taken away in each step.
        factors: dict path of a variable -> factor on its rate.
        **options: of the Keras optimizer.
    """

    def __init__(self, rate, *, decay, factors, **options):
        super().__init__(rate, **options)
        self._decay, self._factors = decay, factors
        self._of_each = []  # (factor on the rate, decay) in the order of the variables

    def build(self, variables):
        """Make room for the moments of all variables; called once."""
        self._of_each = [
            (self._factors.get(variable.path, 1.0), 0.0 if variable.name in _SKIPPED else self._decay)
            for variable in variables
        ]
        super().build(variables)

    def update_step(self, gradient, variable, learning_rate):
        """One step of one variable; called by Keras."""
        factor, decay = self._of_each[self._get_variable_index(variable)]
        rate = keras.ops.cast(learning_rate, variable.dtype)
        rate = rate if factor == 1 else rate * factor
        if decay:
            self.assign_sub(variable, keras.ops.multiply(variable, rate * decay))
        super().update_step(gradient, variable, rate)


class _Adam(_PerVariable, keras.optimizers.Adam):
    pass


class _SGD(_PerVariable, keras.optimizers.SGD):
    pass


def build_optimizer(config, rate, *, factors=None, scale_loss=False):
    """The optimizer of a stage.

    Args:
        config: resolved configuration. One without an optimizer of its own (a detector's) has Adam.
        rate: float or LearningRateSchedule.
        factors: dict path of a variable -> factor on its rate; others have 1.
        scale_loss: whether the loss is scaled up, so that gradients do not vanish in float16.

    Returns:
        keras Optimizer: "adam" and "adamw" (Kingma and Ba 2015; decoupled decay) or "sgd" with Nesterov momentum .9.
        With `--ema` it keeps moving averages of the variables, see `averages`.
    """
    options = {"decay": _setting(config, "weight_decay") or 0.0, "factors": factors or {}}
    options |= {"global_clipnorm": _setting(config, "clip_norm")}
    if _setting(config, "ema"):
        options |= {"use_ema": True, "ema_momentum": config.ema}
    if _setting(config, "optimizer") == "sgd":
        optimizer = _SGD(rate, momentum=0.9, nesterov=True, name="sgd", **options)
    else:
        optimizer = _Adam(rate, name="adam", **options)
    return keras.optimizers.LossScaleOptimizer(optimizer) if scale_loss else optimizer


def _setting(config, name):
    """A setting of a classifier; None where a detector, or a run of an earlier version, has none."""
    return getattr(config, name, None)


def averages(optimizer, variables):
    """Moving averages that an optimizer keeps: list of (variable, its average); empty without `--ema`.

    Args:
        optimizer: of `build_optimizer`, built for these variables.
        variables: the trainable variables, in the order in which it was built.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of one that scales the loss
    if not optimizer.use_ema:
        return []
    return list(zip(variables, optimizer._model_variables_moving_average, strict=True))  # Keras has no public name


def depth_factors(model, decay):
    """Factors on the rates of a model's variables by the depth of their layers.

    Args:
        model: keras.Model, flat.
        decay: factor from one layer with weights to the one below it, above 0 up to 1; the topmost has 1.

    Returns:
        dict path of a variable -> factor.
    """
    holders = [layer for layer in model.layers if layer.trainable_variables]
    depth = {layer.name: len(holders) - 1 - place for place, layer in enumerate(holders)}
    return {value.path: decay ** depth[layer.name] for layer in holders for value in layer.trainable_variables}
