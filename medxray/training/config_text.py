"""A configuration as TOML that `--config` takes again. No TensorFlow."""

import json

from medxray.training.options import options_of


def config_lines(values, kind):
    """Options as lines of TOML, in the order of the configuration.

    Args:
        values: dict option -> value; None and what is hidden and has its default is left out.
        kind: the RunConfig that has the options.

    Returns:
        list of str, `name = value` each.
    """
    known = options_of(kind)
    shown = {
        name: values[name]
        for name, option in known.items()
        if values.get(name) is not None and not (option.hidden and values[name] == option.default)
    }
    return [f"{name.replace('_', '-')} = {toml_value(value)}" for name, value in shown.items()]


def toml_value(value):
    """A value as TOML writes it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)
