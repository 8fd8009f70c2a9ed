"""The page of a film: size, colours, the title, and what stands beside the image of each frame. No TensorFlow."""

import textwrap

import numpy as np
from PIL import Image

from medxray.film.letters import Pen
from medxray.metrics.intervals import equals_probability

WIDTH, HEIGHT = 1280, 720  # pixels of a frame
SIDE, EDGE = 640, 40  # of the square that holds the image, and of what is free around it
GROUND, TEXT, MUTED = (20, 23, 26), (236, 238, 240), (160, 167, 174)
RIGHT, WRONG, TRACK = (86, 180, 233), (230, 159, 0), (52, 58, 64)  # sky and orange of Okabe and Ito (2008)
_LEFT, _PANEL = EDGE + SIDE + 40, WIDTH - 2 * EDGE - SIDE - 40  # of the panel beside the image
_MOST_BARS, _MOST_CELLS = 5, 6  # classes with a bar, and classes up to which a matrix has room
_LETTERS = 60  # of a line of why the gate refuses an image
_RESEARCH = "Research use only: this is not a medical device."


def title_page(title, lines):
    """The first page.

    Args:
        title: its heading.
        lines: list of texts below it.

    Returns:
        uint8 array (HEIGHT,WIDTH,3), RGB.
    """
    picture = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    pen, y = Pen(picture), 210
    pen.text(title, WIDTH / 2, y, size=44, colour=TEXT, width=WIDTH - 2 * EDGE, anchor="m")
    for line in lines:
        y += 50 if line is not lines[0] else 80
        pen.text(line, WIDTH / 2, y, size=24, colour=MUTED, width=WIDTH - 2 * EDGE, anchor="m")
    pen.text(_RESEARCH, WIDTH / 2, HEIGHT - 90, size=24, colour=WRONG, anchor="m")
    return np.asarray(picture).copy()


def panel_page(scene):
    """The page of one image, the square for the image still empty.

    Args:
        scene: scenes.Scene.

    Returns:
        uint8 array (HEIGHT,WIDTH,3), RGB.
    """
    picture = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    pen = Pen(picture)
    pen.text(f"{scene.number} of {scene.total}", _LEFT, 54, size=20, colour=TEXT)
    pen.text(scene.name, _LEFT, 84, size=17, colour=MUTED, width=_PANEL)
    _labels(pen, scene)
    y = _bars(pen, scene, 236)
    for line in textwrap.wrap(scene.refusal, _LETTERS)[:2]:
        pen.text(line, _LEFT, y + 4, size=16, colour=WRONG, width=_PANEL)
        y += 22
    if scene.tally is not None:
        _matrix(pen, scene, y + 34)
    _legend(pen, scene)
    return np.asarray(picture).copy()


def _labels(pen, scene):
    known = scene.true is not None
    right = known and scene.true == scene.predicted
    colour = TEXT if not known else RIGHT if right else WRONG
    pen.text("predicted", _LEFT, 130, size=18, colour=MUTED)
    end = pen.text(scene.predicted, _LEFT + 100, 130, size=30, colour=colour, width=_PANEL - 100 - 140 * known)
    if not known:
        return
    pen.text("✓ correct" if right else "✗ wrong", end + 16, 130, size=22, colour=colour)
    pen.text("true", _LEFT, 174, size=18, colour=MUTED)
    pen.text(scene.true, _LEFT + 100, 174, size=30, colour=TEXT, width=_PANEL - 100)


def _bars(pen, scene, y):
    """The bar of the positive class with the threshold, or one for each of the most probable; the place below them."""
    if scene.threshold is None:
        return _several_bars(pen, scene, y)
    name, probability, colour = scene.classes[-1], scene.probabilities[-1], _colour(scene)
    end = pen.text(f"P({name})", _LEFT, y, size=20, colour=TEXT, width=_PANEL - 150)
    pen.text(equals_probability(probability), end + 8, y, size=20, colour=TEXT)
    pen.box(_LEFT, y + 18, _PANEL, 24, TRACK)
    pen.box(_LEFT, y + 18, max(2, round(_PANEL * probability)), 24, colour)
    at = min(max(scene.threshold, 0.0), 1.0)
    pen.box(round(_LEFT + (_PANEL - 3) * at), y + 12, 3, 36, TEXT)
    text = f"threshold {scene.threshold:.3g}"
    anchor = "l" if at < 0.15 else "r" if at > 0.85 else "m"
    pen.text(text, _LEFT + _PANEL * at, y + 62, size=17, colour=TEXT, anchor=anchor)
    return y + 90


def _several_bars(pen, scene, y):
    order = np.argsort(-scene.probabilities, kind="stable")[:_MOST_BARS]
    for k in sorted(order):
        name, probability = scene.classes[k], scene.probabilities[k]
        mine = name == scene.predicted
        pen.text(name, _LEFT, y, size=18, colour=TEXT if mine else MUTED, width=150)
        pen.box(_LEFT + 160, y - 10, _PANEL - 240, 20, TRACK)
        pen.box(_LEFT + 160, y - 10, max(2, round((_PANEL - 240) * probability)), 20, _colour(scene) if mine else MUTED)
        pen.text(f"{probability:.3f}", _LEFT + _PANEL, y, size=18, colour=TEXT if mine else MUTED, anchor="r")
        y += 30
    return y


def _colour(scene):
    return RIGHT if scene.true in (None, scene.predicted) else WRONG


def _matrix(pen, scene, y):
    """How many were right so far, and the confusion matrix, where there is room, with the cell of this image framed."""
    tally, count = scene.tally, len(scene.classes)
    pen.text(f"so far {tally.right} of {tally.seen} correct", _LEFT, y, size=20, colour=TEXT)
    if count > _MOST_CELLS:
        return
    left, top = _LEFT + 140, y + 54
    width, height = (_PANEL - 140) // count, min(46, (HEIGHT - 100 - top) // count)
    for column, name in enumerate(scene.classes):
        pen.text(name, left + (column + 0.5) * width, top - 14, size=15, colour=MUTED, width=width - 6, anchor="m")
    pen.text("true \\ predicted", _LEFT, top - 14, size=15, colour=MUTED)
    for row, name in enumerate(scene.classes):
        middle = top + (row + 0.5) * height
        pen.text(name, _LEFT, middle, size=15, colour=MUTED, width=130)
        for column in range(count):
            frame = TEXT if (row, column) == tally.cell else None
            pen.box(left + column * width + 2, top + row * height + 2, width - 4, height - 4, TRACK, frame=frame)
            colour = RIGHT if row == column else WRONG
            number = f"{tally.matrix[row, column]:,}"
            pen.text(number, left + (column + 0.5) * width, middle, size=20, colour=colour, anchor="m")


def _legend(pen, scene):
    what = f"{scene.method} for {scene.target}"
    text = f"heat: {what}" if scene.heat.any() else f"{what}: no part stands out"
    pen.text(text, _LEFT, HEIGHT - EDGE - 10, size=16, colour=MUTED, width=_PANEL)
