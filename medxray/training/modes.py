"""What each training mode freezes and in which stages it trains. No fit here."""

from dataclasses import dataclass

from medxray.models.names import POOLED
from medxray.models.registry import architecture

HEAD = "head"  # name of the stage that trains the head before fine-tuning


@dataclass(frozen=True)
class Stage:
    """One stage of training.

    Attributes:
        name: "head" or "main".
        cut: name of the layer before which everything is frozen; None trains every layer.
        epochs: number of epochs.
        learning_rate: peak learning rate.
    """

    name: str
    cut: str | None
    epochs: int
    learning_rate: float


def plan_stages(config):
    """The stages of a resolved TrainConfig, in order.

    `extract` trains the head on pooled features. `finetune` does the same first (skipped with `--head-epochs 0`) and
    then trains head and last block, so that the random head does not wreck pretrained filters. `scratch` trains all.
    """
    if config.mode == "scratch":
        return (Stage("main", None, config.epochs, config.learning_rate),)
    if config.mode == "extract":
        return (Stage("main", POOLED, config.epochs, config.learning_rate),)
    main = Stage("main", architecture(config.arch).stages[-2], config.epochs, config.learning_rate)
    head = Stage(HEAD, POOLED, config.head_epochs, config.head_learning_rate)
    return (head, main) if config.head_epochs else (main,)
