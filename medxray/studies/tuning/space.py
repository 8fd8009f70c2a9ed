"""What a search tries: options of a classifier's training with the values that each may have. No TensorFlow."""

import dataclasses
from dataclasses import dataclass

from medxray.errors import ConfigError
from medxray.models.registry import architecture
from medxray.system.spelling import did_you_mean
from medxray.training.config import TrainConfig
from medxray.training.options import option_name, options_of

MOST_POLICIES = 3  # of augmentation, since the frozen layers are computed for each
_AROUND = 10  # the learning rate is searched from a tenth to ten times its default
_RANGES = {"weight_decay": (1e-6, 1e-2), "dropout": (0.0, 0.7), "l2": (1e-6, 1e-2), "label_smoothing": (0.0, 0.2)}
_LOGARITHMIC = ("learning_rate", "weight_decay", "l2")
_CHOICES = {"head_units": (0, 64, 256, 512), "head_norm": (True, False), "augment": ("light", "standard", "robust")}
_BLOCKS = 3  # the last so many may be the lowest that is trained
NAMES = ("learning_rate", *_RANGES, *_CHOICES, "unfreeze_to")
_TRUTHS = {"yes": True, "no": False}


@dataclass(frozen=True)
class Dimension:
    """An option that is searched.

    Attributes:
        name: of the field of the configuration.
        low, high: lowest and highest value; None where there are choices.
        log: whether the logarithm of the value is drawn evenly.
        choices: values it may have, tuple; None where there is a range.
    """

    name: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple | None = None

    @property
    def option(self):
        """Name of the option without dashes before it."""
        return self.name.replace("_", "-")

    @property
    def ends(self):
        """Values that must be possible for all to be: the ends of the range, or every choice."""
        return self.choices or (self.low, self.high)

    def __str__(self):
        if self.choices:
            return f"{self.option}={'/'.join(map(value_text, self.choices))}"
        return f"{self.option}={self.low:g}:{self.high:g}"

    @classmethod
    def from_dict(cls, value):
        """Read what `dataclasses.asdict` and JSON made of one."""
        return cls(**value | {"choices": tuple(value["choices"]) if value["choices"] else None})


def value_text(value):
    """A value of an option in words: "yes", "0.00123", "robust"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def search_space(texts, config):
    """What is searched.

    Args:
        texts: what `--search` says, list of `NAME[=VALUES],...`; VALUES is LOW:HIGH or A/B/C. Empty: every option of
            NAMES that the mode has and the configuration leaves open.
        config: TrainConfig as the user gave it, the fixed options.

    Returns:
        tuple of Dimension in the order of NAMES.

    Raises:
        ConfigError: an unknown name, an impossible value, or an option that is fixed as well.
    """
    asked = [part for text in texts for part in text.split(",")]
    found = [_dimension(part, config) for part in asked] if asked else _open_dimensions(config)
    names = [dimension.name for dimension in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"--search names {option_name(name)[2:]} twice. Name it once.")
    if not found:
        raise ConfigError("--search has nothing to search: every option is given. Leave one of them out.")
    for dimension in found:
        _check(dimension, config)
    return tuple(sorted(found, key=lambda dimension: NAMES.index(dimension.name)))


def _open_dimensions(config):
    resolved = config.resolved()
    return [_usual(name, resolved) for name in NAMES if getattr(config, name) is None and _applies(name, resolved)]


def _applies(name, resolved):
    """Whether the run of a resolved configuration looks at an option."""
    if name == "weight_decay":
        return resolved.optimizer != "adam"
    if name == "learning_rate":
        return resolved.stage_learning_rates is None
    return name in resolved.variants()[resolved.mode]


def _dimension(part, config):
    name, sign, values = part.strip().partition("=")
    field = name.strip().replace("-", "_")
    if field not in NAMES:
        known = ", ".join(option_name(known)[2:] for known in NAMES)
        near = did_you_mean(name, known.split(", "))
        raise ConfigError(f"--search takes the names {known}. Received '{name}'.{near}")
    if getattr(config, field) is not None:
        raise ConfigError(f"{option_name(field)} is given, so it cannot be searched. Leave it out of one of them.")
    if field == "learning_rate" and not _applies(field, config.resolved()):
        raise ConfigError("--search learning-rate has no effect with --stage-learning-rates. Leave one of them out.")
    return _given(field, values, part) if sign else _usual(field, config.resolved())


def _given(field, values, part):
    """The Dimension of `NAME=LOW:HIGH` or `NAME=A/B/C`."""
    kind = options_of(TrainConfig)[field].type
    if kind is float and values.count(":") == 1:
        low, high = (_value(float, text, part) for text in values.split(":"))
        if not low < high:
            raise ConfigError(f"--search {part}: the lowest value must be below the highest.")
        if field in _LOGARITHMIC and low <= 0:
            raise ConfigError(f"--search {part}: the lowest value must be above 0, since the logarithm is searched.")
        return Dimension(field, low, high, field in _LOGARITHMIC)
    choices = tuple(_value(kind, text, part) for text in values.split("/"))
    if len(set(choices)) < len(choices) or len(choices) < 2:
        raise ConfigError(f"--search {part}: two or more different values are needed, such as A/B/C.")
    return Dimension(field, choices=choices)


def _value(kind, text, part):
    try:
        return _TRUTHS[text.strip()] if kind is bool else kind(text.strip())
    except (ValueError, KeyError) as error:
        wanted = "yes or no" if kind is bool else {int: "whole numbers", float: "numbers"}.get(kind, "names")
        ranges = " LOW:HIGH or" if kind is float else ""
        raise ConfigError(
            f"--search {part}: the values must be {wanted}, written as{ranges} A/B/C. Received '{text}'."
        ) from error


def _usual(field, resolved):
    """The Dimension of an option whose values are not given."""
    if field == "learning_rate":
        return Dimension(field, resolved.learning_rate / _AROUND, resolved.learning_rate * _AROUND, log=True)
    if field in _RANGES:
        return Dimension(field, *_RANGES[field], field in _LOGARITHMIC)
    if field == "unfreeze_to":
        return Dimension(field, choices=tuple(architecture(resolved.arch).stages[-_BLOCKS:][::-1]))
    return Dimension(field, choices=_CHOICES[field])


def _check(dimension, config):
    if dimension.name == "augment" and len(dimension.choices) > MOST_POLICIES:
        raise ConfigError(
            f"--search augment takes at most {MOST_POLICIES} policies, since the frozen layers are computed for each. "
            f"Received {len(dimension.choices)}."
        )
    for value in dimension.ends:
        dataclasses.replace(config, **{dimension.name: value}).resolved()
