"""Words in pictures are shown as they are, and files are written whole."""

import os

import pytest
from matplotlib.image import imread

from medxray.errors import StorageError
from medxray.plots import style


def drawn_text(text):
    figure = style.new_figure(3, 1)
    artist = figure.text(0.5, 0.5, text)
    return artist, figure


@pytest.mark.parametrize("text", ["$x_1^ \\frac{", "costs $5 or $6", "a\\b", "plain"])
def test_any_text_is_drawn_without_being_read_as_a_formula(text):
    artist, figure = drawn_text(style.words(text))
    figure.draw_without_rendering()
    shown, is_math = artist._preprocess_math(artist.get_text())
    assert (shown, is_math) == (text, False)


def test_words_are_one_line_and_shortened_in_the_middle():
    assert style.words("a\n b\tc") == "a b c"
    assert style.words("x" * 32) == "x" * 32
    assert style.words(os.fsdecode(b"\xff.png")) == r"\udcff.png"
    short = style.words("pulmonary oedema, interstitial, grade 3", 20)
    assert len(short) == 20 and short.startswith("pulmonary") and short.endswith("rade 3") and "…" in short


def test_scope_names_split_images_and_patients():
    assert style.scope({"split": "test", "n": 1200, "n_patients": 1}) == "test split: 1,200 images, 1 patient"


def test_decided_by_names_the_threshold_its_rule_and_split():
    report = {"positive": "SICK", "threshold": {"value": 0.21911, "rule": "cost:5/1", "chosen_on": "val"}}
    assert style.decided_by(report) == "predicted SICK when P ≥ 0.219 (cost:5/1, chosen on val)"
    report["threshold"] = {"value": 0.5, "rule": "0.5", "chosen_on": "fixed"}
    assert style.decided_by(report) == "predicted SICK when P ≥ 0.5 (fixed)"
    report = {"positive": "SICK", "threshold": {"value": 0.65, "rule": "youden", "chosen_on": "val"}}
    shown = style.decided_by(report | {"decided_on": "shifted"})
    assert shown == "predicted SICK when P ≥ 0.65\n(youden, chosen on val, shifted views too)"
    assert style.decided_by({"threshold": None}) == "predicted: the most probable class"


def test_more_classes_than_colours_get_another_line_style():
    looks = {(style.class_colour(k), style.class_line(k)) for k in range(28)}
    assert len(looks) == 28


def test_a_figure_is_written_as_png_of_its_size_and_the_same_each_time(tmp_path):
    for name in ("a.png", "b.png"):
        figure = drawn_text("text")[1]
        assert style.save(figure, tmp_path / "new" / name) == tmp_path / "new" / name
    assert imread(tmp_path / "new" / "a.png").shape[:2] == (style.DPI, 3 * style.DPI)
    assert (tmp_path / "new" / "a.png").read_bytes() == (tmp_path / "new" / "b.png").read_bytes()
    assert len(list((tmp_path / "new").iterdir())) == 2


def test_a_figure_that_cannot_be_written_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="Could not write"):
        style.save(drawn_text("text")[1], tmp_path / "file" / "plot.png")


def test_colliding_and_cut_texts_are_noticed(colliding_texts):
    figure = style.new_figure(3, 1)
    figure.text(0.5, 0.5, "one")
    assert colliding_texts(figure) == []
    figure.text(0.52, 0.5, "two")
    figure.text(0.95, 0.1, "too far right")
    assert colliding_texts(figure) == [("one", "two"), "too far right"]
