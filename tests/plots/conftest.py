"""A small evaluated split, and a way to see whether texts in a figure collide."""

import numpy as np
import pytest
from matplotlib.text import Text

from medxray.evaluate.calibration import Calibration
from medxray.evaluate.decision import Decision
from medxray.evaluate.report import evaluate_split
from medxray.evaluate.thresholds import OperatingPoint
from medxray.predictions import Predictions


@pytest.fixture
def evaluated():
    """Build (predictions, decision, report) of a simulated split."""

    def build(n=120, classes=("NORMAL", "PNEUMONIA"), *, skill=1.5, seed=0, y_true=None, threshold=0.3):
        rng, k = np.random.default_rng(seed), len(classes)
        y_true = np.arange(n) % k if y_true is None else np.asarray(y_true)
        logits = rng.normal(size=(n, k)) + skill * np.eye(k)[y_true]
        predictions = Predictions(
            paths=tuple(f"{index}.png" for index in range(n)),
            patient_ids=np.array([f"p{index // 2}" for index in range(n)], dtype=str),
            y_true=y_true,
            logits=logits,
            classes=classes,
            positive=classes[-1] if k == 2 else None,
            split="test",
        )
        point = OperatingPoint(threshold, "youden", "val") if k == 2 else None
        decision = Decision(point, Calibration(1.3, tuple(0.2 * index for index in range(k))))
        return predictions, decision, evaluate_split(predictions, decision, n_boot=60)

    return build


@pytest.fixture
def colliding_texts(monkeypatch):
    """Function of a figure: pairs of drawn texts whose boxes overlap by more than a hair, and texts cut by the edge."""
    drawn = []
    draw = Text.draw

    def record(text, renderer, *arguments, **options):
        drawn.append(text)
        return draw(text, renderer, *arguments, **options)

    monkeypatch.setattr(Text, "draw", record)

    def find(figure):
        drawn.clear()
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
        texts = {id(text): text for text in drawn if text.get_visible() and text.get_text().strip()}.values()
        shown = [(text.get_text(), text.get_window_extent(renderer), text.get_rotation()) for text in texts]
        pairs = [
            (first, second)
            for index, (first, box, turned) in enumerate(shown)
            for second, other, also_turned in shown[index + 1 :]
            if overlap(box, other) and not (turned % 90 and also_turned % 90)
        ]
        return pairs + [text for text, box, _ in shown if sticks_out(box, figure.bbox)]

    return find


def overlap(box, other):
    """Two boxes share more than two pixels in both directions."""
    width = min(box.x1, other.x1) - max(box.x0, other.x0)
    height = min(box.y1, other.y1) - max(box.y0, other.y0)
    return width > 2 and height > 2


def sticks_out(box, page):
    """A box is cut by the edge of the page by more than a pixel."""
    return box.x0 < page.x0 - 1 or box.y0 < page.y0 - 1 or box.x1 > page.x1 + 1 or box.y1 > page.y1 + 1
