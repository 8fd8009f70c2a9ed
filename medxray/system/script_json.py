"""JSON inside a page of HTML. Imports nothing heavy."""

import json


def script_json(value):
    """JSON of a value that cannot end the script element it stands in: ASCII only, without `<`, `>` and `&`.

    Args:
        value: what `json` knows, with finite numbers.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
