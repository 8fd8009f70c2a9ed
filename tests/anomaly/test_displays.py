"""Figures of anomaly runs: what is drawn where, on which scale."""

import numpy as np
import pytest

from medxray.anomaly.displays import AnomalyExample, AnomalyMapsDisplay, AnomalyScoresDisplay


def example(highest, *, colour=False, rebuilt=True):
    pixels = np.full((8, 8, 3) if colour else (8, 8), 100, np.uint8)
    heat = np.zeros((4, 4), np.float32)
    heat[1, 2] = highest
    return AnomalyExample(pixels, pixels.astype(np.float32) + 0.4 if rebuilt else None, heat, "true A", "score 1.00")


def panels(figure):
    return [axes for axes in figure.axes if axes.images]


@pytest.mark.parametrize("colour", [False, True])
def test_all_maps_share_one_scale_and_cover_the_image(colour):
    figure = AnomalyMapsDisplay([example(2.0, colour=colour), example(5.0, colour=colour)], title="t", unit="u").plot()
    drawn = panels(figure)[:6]
    assert [axes.get_ylabel() for axes in drawn if axes.get_ylabel()] == ["input", "reconstruction", "anomaly map"]
    maps = [axes.images[0] for axes in drawn[4:]]
    assert [picture.get_clim() for picture in maps] == [(0, 5.0)] * 2
    assert all(picture.get_extent() == [-0.5, 7.5, 7.5, -0.5] for picture in maps)
    assert [axes.get_title() for axes in drawn[:2]] == ["true A"] * 2
    assert all(axes.get_xlabel() == "score 1.00" for axes in drawn[4:])


def test_without_reconstructions_there_are_two_rows_and_a_map_of_zeros_is_drawn():
    figure = AnomalyMapsDisplay([example(0.0, rebuilt=False)], title="t", unit="distance").plot()
    assert [axes.get_ylabel() for axes in panels(figure)[:2]] == ["input", "anomaly map"]
    assert panels(figure)[1].images[0].get_clim() == (0, 1.0)
    assert any(axes.get_ylabel() == "distance" for axes in figure.axes)


def heights(axes):
    return sum(bar.get_height() for bar in axes.patches)


SCOPE = {"split": "test", "n": 5, "n_patients": 5}


def test_scores_are_counted_by_class_and_by_finer_label_on_one_axis(detected):
    found = detected([0.0, 1.0, 2.0, 3.0, 9.0], [0, 0, 1, 1, 1], ("", "", "viral", "viral", "bacterial"))
    figure = AnomalyScoresDisplay.from_predictions(found, 1.5, report=SCOPE).plot()
    drawn = [axes for axes in figure.axes if axes.patches]
    assert [axes.get_title(loc="left") for axes in drawn] == [
        "NORMAL: 2 images",
        "ILL: 3 images",
        "bacterial: 1 image",
        "viral: 2 images",
    ]
    assert [heights(axes) for axes in drawn] == [2, 3, 1, 2]
    assert all(axes.lines[0].get_xdata()[0] == 1.5 for axes in drawn)
    assert len({axes.get_xlim() for axes in drawn}) == 1
    assert all(float(tick).is_integer() for axes in drawn for tick in axes.get_yticks())  # images are counted whole


def test_a_class_without_images_and_equal_scores_are_drawn(detected):
    figure = AnomalyScoresDisplay.from_predictions(detected([1.0] * 3, [0, 0, 0]), None, report=SCOPE).plot()
    drawn = [axes for axes in figure.axes if axes.get_title(loc="left")]
    assert [heights(axes) for axes in drawn] == [3, 0] and not drawn[0].lines
