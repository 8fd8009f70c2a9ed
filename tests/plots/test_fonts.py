"""Letters of any script are drawn, or a warning says which are not."""

import pytest
from matplotlib import font_manager
from matplotlib.image import imread

from medxray.plots import fonts, style


@pytest.fixture(autouse=True)
def fresh_fonts():
    for function in (fonts._families, fonts._warn):
        function.cache_clear()
    yield
    fonts._families.cache_clear()


def drawn(text, path):
    figure = style.new_figure(2, 1)
    artist = figure.text(0.1, 0.5, text)
    style.save(figure, path)
    return artist, imread(path)


@pytest.mark.parametrize("text", ["NORMAL", "Lungenentzündung", "ПНЕВМОНИЯ", "ذات الریه", "a\u00a0b\u200cc\n"])
def test_what_the_usual_font_has_is_drawn_with_it_alone(tmp_path, text, caplog):
    artist, _ = drawn(text, tmp_path / "a.png")
    assert artist.get_fontfamily() == style.new_figure(1, 1).text(0, 0, "x").get_fontfamily()
    assert not caplog.text


def test_a_letter_that_the_usual_font_lacks_is_drawn_with_another_one(tmp_path, caplog, recwarn):
    artist, pixels = drawn("\u210a\u210a", tmp_path / "a.png")
    assert len(artist.get_fontfamily()) > 1
    assert not caplog.text and not len(recwarn)
    assert (pixels != drawn("\U0010fffd\U0010fffd", tmp_path / "box.png")[1]).any()


@pytest.mark.parametrize("text", ["肺炎", "निमोनिया", "폐렴"])
def test_letters_that_no_font_has_are_warned_of_once(tmp_path, caplog, recwarn, monkeypatch, text):
    usual = font_manager.findfont("DejaVu Sans")
    monkeypatch.setattr(fonts, "_system_fonts", lambda: [("DejaVu Sans", usual)])
    for name in ("a.png", "b.png"):
        drawn(text, tmp_path / name)
    assert caplog.text.count("No font of this system has the letters") == 1
    assert text[0] in caplog.text and "Noto Sans" in caplog.text
    assert not [warning for warning in recwarn if "Pyparsing" not in warning.category.__name__]  # of matplotlib 3.10


def test_the_font_of_last_resort_is_not_taken():
    assert not [name for name, _ in fonts._system_fonts() if "Last" in name]
