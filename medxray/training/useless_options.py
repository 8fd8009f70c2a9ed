"""Options of a classifier that are given and would change nothing. No TensorFlow."""

from medxray.errors import ConfigError
from medxray.training.modes import plan_stages


def refuse_useless(given, config):
    """Raise ConfigError for an option that is given and that nothing of the run would look at.

    Args:
        given: TrainConfig as the user gave it.
        config: the same, resolved.
    """
    last = plan_stages(config)[-1]  # raises where they cannot be planned
    if given.clusters is not None and not config.holdout:
        raise ConfigError("--clusters is for --holdout clusters. Give that too, or leave it out.")
    if given.weight_decay and config.optimizer == "adam":
        raise ConfigError("--weight-decay is for --optimizer adamw or sgd. Received adam.")
    if given.warm_up is not None and config.schedule == "plateau":
        raise ConfigError("--warm-up is for --schedule cosine. Received plateau.")
    if given.train_bn and last.cut is not None:
        raise ConfigError(
            "--train-bn is for runs that train every layer. Give --unfreeze-to FIRST_BLOCK, or leave it out."
        )
