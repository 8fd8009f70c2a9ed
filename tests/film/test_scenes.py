"""Frames of one image: where it lies, how the heat fades in, what stands beside it."""

import numpy as np
import pytest

from medxray.film import page
from medxray.film.page import EDGE, GROUND, HEIGHT, RIGHT, SIDE, WIDTH, WRONG, panel_page, title_page
from medxray.film.scenes import heat_at, scene_frames


@pytest.fixture
def words(monkeypatch):
    """The texts that are drawn, in order."""
    found = []
    write = page.Pen.text

    def record(pen, text, *place, **how):
        found.append(str(text))
        return write(pen, text, *place, **how)

    monkeypatch.setattr(page.Pen, "text", record)
    return found


def square(frame):
    return frame[EDGE : EDGE + SIDE, EDGE : EDGE + SIDE]


def test_heat_fades_in_and_is_there_in_the_last_frame():
    shares = [heat_at(number, 11) for number in range(11)]
    assert shares[:3] == [0, 0, 0] and shares[5:] == [1] * 6
    assert shares[3] == pytest.approx(1 / 3) and shares[4] == pytest.approx(2 / 3)
    assert heat_at(0, 1) == 1


def test_frames_differ_only_while_the_heat_fades_in(scene):
    frames = list(scene_frames(scene(), 11))
    assert [frame.shape for frame in frames] == [(HEIGHT, WIDTH, 3)] * 11 and frames[0].dtype == np.uint8
    assert frames[0] is frames[1] is frames[2] and frames[5] is frames[10]
    assert len({id(frame) for frame in frames}) == 4
    assert np.array_equal(frames[0][:, EDGE + SIDE :], frames[10][:, EDGE + SIDE :])


def test_the_image_lies_in_the_middle_in_its_own_form_and_grey(scene):
    frame = square(next(scene_frames(scene(), 5)))
    assert (frame[SIDE // 4 : 3 * SIDE // 4] == 90).all()
    assert (frame[: SIDE // 4] == GROUND).all() and (frame[3 * SIDE // 4 :] == GROUND).all()


def test_heat_of_a_hand_made_map_has_its_colour_where_it_is_and_none_elsewhere(scene):
    frame = square(list(scene_frames(scene(), 5))[-1])
    hottest = 0.28 * 90 + 0.72 * np.array([240, 249, 33])  # plasma at 1, opacity 0.72
    assert frame[SIDE // 4 + 20, 20].astype(int) == pytest.approx(hottest, abs=1.5)
    assert (frame[3 * SIDE // 4 - 20, -20] == 90).all()


def test_a_colour_image_keeps_its_colours(scene):
    picture = np.zeros((10, 10, 3), np.uint8)
    picture[...] = (200, 30, 60)
    assert square(next(scene_frames(scene(picture=picture), 2)))[5, 5].tolist() == [200, 30, 60]


def test_the_bar_ends_at_the_probability_and_has_the_threshold(scene):
    frame, left = panel_page(scene()), page._LEFT
    row = frame[236 + 30, left : left + page._PANEL]
    filled = np.flatnonzero((row == WRONG).all(axis=1))
    assert filled[0] == 0 and filled[-1] == pytest.approx(0.75 * page._PANEL, abs=2)
    tick = np.flatnonzero((frame[236 + 14, left : left + page._PANEL] == page.TEXT).all(axis=1))
    assert tick.mean() == pytest.approx(0.6 * page._PANEL, abs=3)


def test_the_panel_says_which_image_what_was_predicted_and_how_it_goes(scene, words):
    panel_page(scene())
    assert {"2 of 3", "test/NORMAL/a.png", "PNEUMONIA", "✗ wrong", "NORMAL"} <= set(words)
    assert {"P(PNEUMONIA)", "= 0.750", "threshold 0.6", "so far 5 of 6 correct", "3", "1", "0"} <= set(words)
    assert words[-1] == "heat: Grad-CAM for PNEUMONIA"


def test_colours_tell_right_from_wrong_and_so_do_words(scene, words):
    right = panel_page(scene(true="PNEUMONIA"))
    assert "✓ correct" in words and "✗ wrong" not in words
    assert (right[236 + 30, page._LEFT + 5] == RIGHT).all()


def test_without_a_true_class_there_is_no_verdict_and_no_matrix(scene, words):
    panel_page(scene(true=None, tally=None))
    assert not {"true", "✓ correct", "✗ wrong", "true \\ predicted"} & set(words)
    assert not [one for one in words if one.startswith("so far")]


def test_what_the_gate_refuses_is_said(scene, words):
    panel_page(scene(refusal="not like the training images: darker (gate score 3.10, accepted up to 1)"))
    at = words.index("not like the training images: darker (gate score 3.10,")
    assert words[at + 1] == "accepted up to 1)"


def test_a_map_without_heat_is_said_to_be(scene, words):
    panel_page(scene(heat=np.zeros((4, 4), np.float32)))
    assert words[-1] == "Grad-CAM for PNEUMONIA: no part stands out"


def several(scene, count):
    from medxray.film.tally import Tally

    classes = tuple(f"CLASS{k}" for k in range(count))
    probabilities = np.arange(1, count + 1) / np.arange(1, count + 1).sum()
    tally = Tally(np.eye(count, dtype=int), (0, 0))
    facts = {"threshold": None, "predicted": classes[-1], "true": classes[0], "tally": tally}
    return scene(classes=classes, probabilities=probabilities, **facts)


def test_three_classes_have_a_bar_each_and_a_matrix(scene, words):
    panel_page(several(scene, 3))
    assert {"0.167", "0.333", "0.500", "so far 3 of 3 correct", "true \\ predicted"} <= set(words)
    assert not [one for one in words if one.startswith("threshold")]


def test_many_classes_show_the_most_probable_and_no_matrix(scene, words):
    panel_page(several(scene, 9))
    assert [one for one in words if one.startswith("CLASS")][2:] == [f"CLASS{k}" for k in range(4, 9)]
    assert "so far 9 of 9 correct" in words and "true \\ predicted" not in words


@pytest.mark.parametrize("count", [2, 3, 5, 6])
def test_the_matrix_stays_above_the_legend_and_on_the_page(scene, count, monkeypatch):
    boxes = []
    monkeypatch.setattr(page.Pen, "box", lambda pen, *place, **how: boxes.append(place[:4]))
    panel_page(several(scene, count) if count > 2 else scene(refusal="not like the training images: " * 5))
    assert len(boxes) >= count * count
    assert all(x + width <= WIDTH - EDGE + 2 and y + height <= HEIGHT - EDGE - 22 for x, y, width, height in boxes)


def test_the_title_says_once_what_a_film_is_for(words):
    frame = title_page("Predictions of run", ["3 images", "Heat"])
    assert frame.shape == (HEIGHT, WIDTH, 3) and (frame != GROUND).any()
    assert words == ["Predictions of run", "3 images", "Heat", "Research use only: this is not a medical device."]
