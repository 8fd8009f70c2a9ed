"""Texts from files and names of files, as they may stand in one line. Imports nothing heavy."""

import unicodedata

_KINDS = {"Cc", "Zl", "Zp"}  # control characters, separators of lines and of paragraphs
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # turn the writing around


def escaped(text):
    r"""A text whose control characters, line breaks and turns of direction are escapes: `\n`, `\x1b`, `\u202e`."""
    if text.isprintable():
        return text
    hidden = (sign in _DIRECTIONS or unicodedata.category(sign) in _KINDS for sign in text)
    return "".join(repr(sign)[1:-1] if hide else sign for sign, hide in zip(text, hidden, strict=True))
