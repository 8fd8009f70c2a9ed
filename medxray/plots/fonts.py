"""Fonts for texts in any script: what the usual font lacks is looked for in the fonts of the system."""

import functools
import itertools
import logging
import unicodedata

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

log = logging.getLogger(__name__)
_NO_FONT = "Last Resort"  # draws the name of a script instead of its letters


def use_readable_fonts(figure):
    """Let each text of a figure be drawn with fonts that have its letters; a warning names letters that no font has.

    Args:
        figure: matplotlib.figure.Figure that is about to be drawn.
    """
    lacking = set()
    for text in figure.findobj(Text):
        usual = text.get_fontfamily()
        wanted = _letters(text.get_text()) - _letters_of(font_manager.findfont(text.get_fontproperties()))
        if wanted:
            families, unknown = _families(frozenset(wanted))
            text.set_fontfamily([*usual, *families])
            lacking |= unknown
    if lacking:
        _warn("".join(sorted(lacking)))


def font_runs(text):
    """A text in parts that each have one font, for drawing without matplotlib.

    Returns:
        list of (part, path of a font file), in the order of the text. Letters that no font has stay with the usual font
        and are told in a warning.
    """
    usual = font_manager.findfont("DejaVu Sans")
    wanted = _letters(text) - _letters_of(usual)
    names, unknown = _families(frozenset(wanted)) if wanted else ((), ())
    if unknown:
        _warn("".join(sorted(unknown)))
    paths = dict(_system_fonts()) if names else {}
    fonts = [usual, *(paths[name] for name in names)]
    found = [next((font for font in fonts if letter in _letters_of(font)), usual) for letter in text]
    parts = itertools.groupby(zip(text, found, strict=True), key=lambda pair: pair[1])
    return [("".join(letter for letter, _ in part), font) for font, part in parts]


@functools.cache
def _warn(letters):
    log.warning(
        "No font of this system has the letters %s: they are drawn as empty boxes. Install a font that has them, "
        "such as Noto Sans (for Chinese, Japanese and Korean: Noto Sans CJK).",
        letters[:20] + ("..." if len(letters) > 20 else ""),
    )


def _letters(text):
    """The characters of a text that have a shape."""
    return {letter for letter in text if unicodedata.category(letter)[0] not in "CZ"}


@functools.cache
def _families(wanted):
    """(names of fonts that together have the letters, letters that none has)."""
    families, unknown = [], set(wanted)
    for name, path in _system_fonts():
        here = unknown & _letters_of(path)
        if here:
            families.append(name)
            unknown -= here
        if not unknown:
            break
    return tuple(families), frozenset(unknown)


@functools.cache
def _system_fonts():
    """(name, path) of the upright fonts of matplotlib and of the system, those without serifs first."""
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for path in font_manager.findSystemFonts():
        if path not in known:  # installed after matplotlib made its list
            try:
                font_manager.fontManager.addfont(path)
            except (OSError, RuntimeError) as error:
                log.debug("%s is no font that can be used: %s", path, error)
    fonts = {entry.name: entry.fname for entry in font_manager.fontManager.ttflist if entry.style == "normal"}
    usable = [(name, path) for name, path in fonts.items() if not name.startswith(_NO_FONT)]
    return sorted(usable, key=lambda font: ("sans" not in font[0].casefold(), font))


@functools.cache
def _letters_of(path):
    """The characters that a font file has a shape for."""
    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError):
        return frozenset()
