"""What an option of a run is: stated once, at the field of the configuration that holds its value. No TensorFlow.

Config files, the options of the commands, their `--help` and the tables in docs/ are made from the fields.
"""

import dataclasses
import functools
import types
import typing
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes:
        name: of the field.
        type: of the value: bool, int, float or str.
        optional: whether it may be None, "decided from the rest".
        default: value where none is given.
        help: one sentence, without the default.
        choices: allowed values, or a table whose keys they are; None: no fixed ones.
        low, high: lowest and highest value; None: no bound.
        path: whether the value names a file or folder.
        names: what may stand instead of the name of a file, without being checked here; None: it names no file.
        metavar: name of the value in `--help`; None: that of the type.
        word: text that may stand instead of a number; None: none.
        hidden: whether `--help` and docs leave it out, since another option has taken its place.
    """

    name: str
    type: type
    optional: bool
    default: object
    help: str
    choices: Collection | None = None
    low: float | None = None
    high: float | None = None
    path: bool = False
    names: Collection | None = None
    metavar: str | None = None
    word: str | None = None
    hidden: bool = False


def option(default, help, **facts):
    """A field that is an option.

    Args:
        default: value where none is given.
        help: one sentence, without the default.
        **facts: `choices`, `low`, `high`, `path`, `names`, `metavar`, `word`, `hidden` of Option.
    """
    return dataclasses.field(default=default, metadata={"help": help, **facts})


def restated(group, name, default, **facts):
    """The option of a group again, with another default and perhaps another help text or other choices.

    Args:
        group: the dataclass that states the option.
        name: of its field.
        default: value where none is given.
        **facts: what of Option is different.
    """
    metadata = group.__dataclass_fields__[name].metadata
    return dataclasses.field(default=default, metadata={**metadata, **facts})


@functools.cache
def options_of(config_class):
    """The options of a dataclass, dict name -> Option in the order of its fields."""
    hints = typing.get_type_hints(config_class)
    return {field.name: _option(field, hints[field.name]) for field in dataclasses.fields(config_class)}


def _option(field, hint):
    allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kind = next(kind for kind in allowed if kind is not types.NoneType)
    return Option(field.name, kind, types.NoneType in allowed, field.default, **field.metadata)


def option_name(name):
    """A field as the option of the command."""
    return "--" + name.replace("_", "-")


def help_text(option, variants):
    """The help of an option: which variants of the run have it, what it does, and its default.

    Args:
        option: Option.
        variants: dict variant -> dict option -> default there, see `RunConfig.variants`.
    """
    owners = owners_of(option.name, variants)
    text = f"{', '.join(owners)}: {option.help[0].lower()}{option.help[1:]}" if owners else option.help
    default = default_text(option, variants)
    return f"{text} Default: {default}." if default else text


def owners_of(name, variants):
    """The variants that have an option, where it is not one of all; empty for an option of every run."""
    owners = [variant for variant, defaults in variants.items() if name in defaults]
    return [] if len(owners) == len(variants) else owners


def default_text(option, variants):
    """The default in words: "10", "30 in extract, else 10", "mean in padim, max in patchcore"; empty where it has none.

    Args:
        option: Option.
        variants: as for `help_text`.
    """
    found = {}  # default in words -> variants
    for variant, defaults in variants.items():
        if defaults.get(option.name) is not None:
            found.setdefault(_words(defaults[option.name]), []).append(variant)
    if not found:
        return "" if option.default is None or option.type is bool else _words(option.default)
    usual = max(found, key=lambda value: len(found[value]))
    if len(found) == 1:
        return usual
    if len(found[usual]) == 1:
        return ", ".join(f"{value} in {owners[0]}" for value, owners in found.items())
    special = [f"{value} in {' and '.join(owners)}" for value, owners in found.items() if value != usual]
    return ", ".join([*special, f"else {usual}"])


def _words(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
