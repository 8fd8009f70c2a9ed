"""Texts from files and names of files, as they may stand in one line. Imports nothing heavy."""

import unicodedata

_KINDS = {"Cc", "Zl", "Zp"}  # control characters, separators of lines and of paragraphs


def escaped(text):
    r"""A text whose control characters and line breaks are escapes such as `\n` and `\x1b`."""
    if text.isprintable():
        return text
    return "".join(repr(sign)[1:-1] if unicodedata.category(sign) in _KINDS else sign for sign in text)
