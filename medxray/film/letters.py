"""Text on pictures in any script, by Pillow. No TensorFlow."""

import functools

from PIL import ImageDraw, ImageFont

from medxray.plots.fonts import font_runs
from medxray.system.control_characters import escaped


class Pen:
    """Draws on a picture.

    Args:
        picture: PIL.Image, RGB, which is changed.
    """

    def __init__(self, picture):
        self._draw = ImageDraw.Draw(picture)

    def text(self, text, x, y, *, size, colour, width=None, anchor="l"):
        """Write one line; places and sizes are in pixels.

        Args:
            text: str; control characters become escapes.
            x: of its left end, its middle or its right end.
            y: of its middle.
            size: height of the font.
            colour: (red, green, blue), 0-255.
            width: a longer text is shortened in the middle; None: it is not.
            anchor: "l", "m" or "r", which place `x` is.

        Returns:
            float, the place behind the text.
        """
        text = escaped(str(text))
        text = text if width is None else _shortened(text, size, width)
        at = x - {"l": 0, "m": 0.5, "r": 1}[anchor] * text_width(text, size)
        for part, font in _parts(text):
            made = _font(font, size)
            self._draw.text((at, y), part, font=made, fill=colour, anchor="lm")
            at += made.getlength(part)
        return at

    def box(self, x, y, width, height, colour, *, frame=None):
        """Fill a rectangle, and draw its frame in another colour."""
        self._draw.rectangle((x, y, x + width - 1, y + height - 1), fill=colour, outline=frame, width=2)


def text_width(text, size):
    """Width of a line in pixels."""
    return sum(_font(font, size).getlength(part) for part, font in _parts(text))


def _shortened(text, size, width):
    """The text, or as much of its beginning and end as fits, with an ellipsis between them."""
    if text_width(text, size) <= width:
        return text
    fits = [kept for kept in range(1, len(text)) if text_width(_cut(text, kept), size) <= width]
    return _cut(text, max(fits, default=1))


def _cut(text, kept):
    end = kept // 2
    return f"{text[: kept - end]}…{text[len(text) - end :]}"


@functools.lru_cache(4096)
def _parts(text):
    return font_runs(text)


@functools.lru_cache(256)
def _font(path, size):
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
