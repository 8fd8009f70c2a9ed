"""Values of a record as Markdown."""

UNKNOWN = "not recorded"


def text(value):
    """A value from a file as one line of Markdown that cannot break a table or start markup."""
    if value is None or value == "":
        return UNKNOWN
    flat = " ".join(str(value).split())
    for character in "\\`*_[]<>|#":
        flat = flat.replace(character, "\\" + character)
    return flat


def table(header, rows):
    """A table from lists of cells that are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def part(record, name):
    """An entry of a record that has to be a dict; an empty one where it is missing or something else."""
    value = record.get(name)
    return value if isinstance(value, dict) else {}
