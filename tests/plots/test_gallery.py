"""Galleries of images with true and predicted classes."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from medxray.errors import ImageError
from medxray.metrics.failures import confident_errors
from medxray.plots import style
from medxray.plots.gallery import GalleryDisplay


def thumbnail(row):
    return np.full((20, 24), row % 256, np.uint8)


def framed_panels(figure):
    return [axes for part in figure.subfigs for axes in part.axes if axes.axison]


def test_sample_shows_each_image_with_its_own_classes(evaluated):
    predictions, decision, report = evaluated()
    display = GalleryDisplay.sample(predictions, decision, report=report, thumbnails=thumbnail, n=10)
    tiles = display.groups[0][1]
    labels = decision.labels(predictions.logits)
    rows = [int(tile.pixels[0, 0]) for tile in tiles]
    assert len(set(rows)) == 10
    assert [tile.true for tile in tiles] == [predictions.classes[predictions.y_true[row]] for row in rows]
    assert [tile.predicted for tile in tiles] == [predictions.classes[labels[row]] for row in rows]
    assert [tile.probability for tile in tiles] == pytest.approx(predictions.score(decision.calibration)[rows])


def test_sample_is_the_same_each_time_and_never_larger_than_the_split(evaluated):
    predictions, decision, report = evaluated(n=8)
    draw = [GalleryDisplay.sample(predictions, decision, report=report, thumbnails=thumbnail) for _ in range(2)]
    rows = [[int(tile.pixels[0, 0]) for tile in display.groups[0][1]] for display in draw]
    assert rows[0] == rows[1] and sorted(rows[0]) == list(range(8))


def test_errors_come_in_the_order_of_confidence(evaluated):
    predictions, decision, report = evaluated(skill=0.5)
    display = GalleryDisplay.errors(predictions, decision, report=report, thumbnails=thumbnail, k=5)
    expected = confident_errors(predictions, decision, k=5)
    for (heading, tiles), (kind, rows) in zip(display.groups, expected.items(), strict=True):
        assert heading == f"{kind.replace('_', ' ').capitalize()}, most confident first"
        assert [int(tile.pixels[0, 0]) for tile in tiles] == rows.tolist()
        assert not any(tile.correct for tile in tiles)


def test_errors_differ_from_correct_ones_in_colour_and_in_words(evaluated):
    predictions, decision, report = evaluated(skill=0.7)
    display = GalleryDisplay.sample(predictions, decision, report=report, thumbnails=thumbnail)
    panels = framed_panels(display.plot())
    tiles = display.groups[0][1]
    assert {tile.correct for tile in tiles} == {True, False}
    for axes, tile in zip(panels, tiles, strict=True):
        colour = to_hex(axes.spines["top"].get_edgecolor()).upper()
        assert colour == (style.BLUE if tile.correct else style.VERMILLION)
        assert axes.get_title() == ("✓ correct" if tile.correct else "✗ WRONG")
        assert f"true: {tile.true}\npredicted: {tile.predicted}\n" in axes.get_xlabel()


@pytest.mark.parametrize("error", [ImageError("half a file"), OSError("gone")])
def test_an_image_that_cannot_be_read_leaves_an_empty_frame(evaluated, error):
    def broken(row):
        raise error

    predictions, decision, report = evaluated(n=4)
    display = GalleryDisplay.sample(predictions, decision, report=report, thumbnails=broken)
    panels = framed_panels(display.plot())
    assert [axes.texts[0].get_text() for axes in panels] == ["file cannot\nbe read"] * 4


def test_colour_images_are_shown_too(evaluated):
    predictions, decision, report = evaluated(n=4)
    options = {"report": report, "thumbnails": lambda row: np.zeros((8, 8, 3), np.uint8)}
    panels = framed_panels(GalleryDisplay.sample(predictions, decision, **options).plot())
    assert panels[0].images[0].get_array().shape == (8, 8, 3)


LONG = ("a rather long name of a class, first", "a rather long name of a class, second")


@pytest.mark.parametrize("classes", [("NORMAL", "PNEUMONIA"), LONG, ("NORMAL", "BACTERIAL", "VIRAL")])
@pytest.mark.parametrize("kind", ["sample", "errors"])
def test_texts_do_not_collide(evaluated, colliding_texts, kind, classes):
    predictions, decision, report = evaluated(classes=classes, skill=0.5)
    display = getattr(GalleryDisplay, kind)(predictions, decision, report=report, thumbnails=thumbnail)
    assert colliding_texts(display.plot()) == []
