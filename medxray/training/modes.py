"""What each training mode freezes and in which stages it trains. No fit here."""

from dataclasses import dataclass

from medxray.errors import ConfigError
from medxray.models.names import POOLED
from medxray.models.registry import architecture
from medxray.system.spelling import did_you_mean

HEAD = "head"  # name of the stage that trains the head before other layers
MAIN = "main"


@dataclass(frozen=True)
class Stage:
    """One stage of training.

    Attributes:
        name: "head", "main" or, in `progressive`, the name of the lowest block that it trains.
        cut: name of the layer before which everything is frozen; None trains every layer.
        epochs: number of epochs.
        learning_rate: peak learning rate; "auto" as long as it is not found.
    """

    name: str
    cut: str | None
    epochs: int
    learning_rate: float | str


def plan_stages(config):
    """The stages of a resolved TrainConfig, in order.

    `extract` trains the head on pooled features. `finetune` does the same first (skipped with `--head-epochs 0`) and
    then trains head and last block, so that the random head does not wreck pretrained filters. `progressive` goes on
    from the last block to the one before it, and so on (Howard and Ruder 2018, ULMFiT, section 3.3). `full` and
    `scratch` train all layers at once.
    """
    if config.mode in ("scratch", "full"):
        return (Stage(MAIN, None, config.epochs, config.learning_rate),)
    if config.mode == "extract":
        return (Stage(MAIN, POOLED, config.epochs, config.learning_rate),)
    head = Stage(HEAD, POOLED, config.head_epochs, config.head_learning_rate)
    return (*([head] if config.head_epochs else []), *_blocks(config))


def _blocks(config):
    """The stages behind the head stage: one, or one for each block."""
    names = _unfrozen(config)
    if config.mode == "finetune":
        return [Stage(MAIN, _before(config, names[-1]), config.epochs, config.learning_rate)]
    epochs = _each(config, "stage_epochs", int, config.epochs, names)
    rates = _each(config, "stage_learning_rates", float, config.learning_rate, names)
    return [Stage(name, _before(config, name), *numbers) for name, *numbers in zip(names, epochs, rates, strict=True)]


def _unfrozen(config):
    """Names of the blocks that are trained, the last one first."""
    stages = architecture(config.arch).stages
    lowest = config.unfreeze_to or stages[-1]
    if lowest not in stages:
        near = did_you_mean(lowest, stages)
        wanted = f"--unfreeze-to for {config.arch} must be one of {', '.join(stages)}"
        raise ConfigError(f"{wanted}. Received '{lowest}'.{near}")
    return stages[stages.index(lowest) :][::-1]


def _before(config, block):
    """The layer that ends the block before one; None for the first block."""
    stages = architecture(config.arch).stages
    return stages[stages.index(block) - 1] if block != stages[0] else None


def _each(config, name, kind, usual, blocks):
    """The numbers of an option with one for each block, or the usual one for all."""
    text = getattr(config, name)
    if text is None:
        return [usual] * len(blocks)
    option = "--" + name.replace("_", "-")
    wanted = f"{option} must have {len(blocks)} numbers above 0, for {', '.join(blocks)}. Received '{text}'."
    try:
        numbers = [kind(part) for part in text.split(",")]
    except ValueError as error:
        raise ConfigError(wanted) from error
    if len(numbers) != len(blocks) or not all(0 < number < 10_000 for number in numbers):
        raise ConfigError(wanted)
    return numbers
