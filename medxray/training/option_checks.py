"""What is checked of every configuration: types, choices and ranges of its options. No TensorFlow."""

import dataclasses
import math
import os

from medxray.errors import ConfigError
from medxray.models.registry import architecture
from medxray.system.spelling import did_you_mean
from medxray.training.options import option_name, options_of


def check_options(config):
    """Raise ConfigError for the first value of another type, outside its choices or outside its range.

    Args:
        config: RunConfig. A path becomes text in it, and a whole number a float where that is wanted.
    """
    options = options_of(type(config)).values()
    for check in (_check_type, _check_choices, _check_range):
        for option in options:
            if option.word is None or getattr(config, option.name) != option.word:
                check(config, option)


def _check_type(config, option):
    value = getattr(config, option.name)
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
        object.__setattr__(config, option.name, value)
    if value == "":
        raise ConfigError(f"{option_name(option.name)} must not be empty. Give a value, or leave it out.")
    if option.type is float and type(value) is int:
        object.__setattr__(config, option.name, float(value))
    elif type(value) is not option.type and not (value is None and option.optional):
        raise ConfigError(f"{option_name(option.name)} must be {option.type.__name__}. Received {value!r}.")


def _check_choices(config, option):
    value = getattr(config, option.name)
    if value is not None and option.choices is not None and value not in option.choices:
        allowed, near = ", ".join(map(str, option.choices)), did_you_mean(value, option.choices)
        raise ConfigError(f"{option_name(option.name)} must be one of {allowed}. Received '{value}'.{near}")


def _check_range(config, option):
    value, reason = getattr(config, option.name), ""
    if option.name == "image_size" and config.arch is not None:
        option, reason = dataclasses.replace(option, low=architecture(config.arch).minimum_size), f" for {config.arch}"
    low, high = option.low, option.high
    if value is None or low is None or low <= value <= (math.inf if high is None else high):
        return
    span = f"be at least {low:g}" if high is None else f"lie between {low:g} and {high:g}"
    raise ConfigError(f"{option_name(option.name)}{reason} must {span}. Received {value}.")
