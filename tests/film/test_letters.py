"""Text on frames."""

import numpy as np
import pytest
from PIL import Image

from medxray.film.letters import Pen, text_width


def drawn(text, **how):
    picture = Image.new("RGB", (300, 60))
    end = Pen(picture).text(text, **{"x": 10, "y": 30, "size": 20, "colour": (255, 255, 255)} | how)
    return np.asarray(picture).max(axis=2), end


def columns(pixels):
    return np.flatnonzero(pixels.max(axis=0) > 60)


def test_a_text_begins_ends_or_is_centred_where_it_is_told():
    width = text_width("Hello", 20)
    for anchor, begin in (("l", 150), ("m", 150 - width / 2), ("r", 150 - width)):
        found = columns(drawn("Hello", x=150, anchor=anchor)[0])
        assert found[0] == pytest.approx(begin, abs=4) and found[-1] == pytest.approx(begin + width, abs=4)


def test_a_long_text_is_shortened_in_the_middle_to_its_width():
    pixels, end = drawn("pulmonary oedema, interstitial, third grade", width=120)
    assert end <= 130 and columns(pixels)[-1] <= 130
    assert columns(drawn("short", width=120)[0]).tolist() == columns(drawn("short")[0]).tolist()


def test_control_characters_are_drawn_as_escapes():
    assert np.array_equal(drawn("a\nb")[0], drawn(r"a\nb")[0])


def test_letters_of_other_scripts_are_not_the_empty_box():
    greek, box = drawn("Ω ж ✓ ✗")[0], drawn("\U000f0000 " * 4)[0]
    assert not np.array_equal(greek, box) and greek.max() > 200
