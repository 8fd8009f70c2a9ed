"""What a file holds that is not read."""


class Refused(Exception):
    """A part of a file is damaged, of an unknown kind, or would have to be executed; the text says which."""


def shown(text):
    """Text of a file as it may stand in one line of a message: ASCII, at most 80 signs."""
    return ascii(str(text)[:80])[1:-1]
