import warnings

import numpy as np
import pytest
from matplotlib.text import Text

from medxray.explain.grid import draw_grid, write_grid
from medxray.explain.methods import METHODS
from tests.explain.test_overlay import GREY, example


def of_every_method(**changes):
    return [
        example(method=name, layer="block5_conv3" if row.needs_layer else None, **changes)
        for name, row in METHODS.items()
    ]


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_there_is_one_row_with_the_image_first_and_a_named_panel_for_each_method():
    figure = draw_grid(of_every_method(), GREY)
    panels = figure.axes[: len(METHODS) + 1]
    places = [axes.get_position() for axes in panels]
    np.testing.assert_allclose([(place.y0, place.height) for place in places], [(places[0].y0, places[0].height)] * 11)
    assert all(left.x1 < right.x0 for left, right in zip(places[:-1], places[1:], strict=True))
    assert texts(panels[0]) == ["Image", "200 × 100"]
    assert [texts(axes)[-2] for axes in panels[1:]] == [row.title for row in METHODS.values()]
    assert texts(panels[1])[-1] == "block5_conv3, 2 × 2" and texts(panels[-1])[-1] == "2 × 2"
    assert figure.get_suptitle().startswith("x.png\npredicted PNEUMONIA")


@pytest.mark.parametrize("shape", [(100, 200, 1), (200, 100, 3), (900, 30, 1), (30, 900, 1), (1, 1, 1)])
def test_labels_stay_within_the_picture_and_clear_of_each_other(shape):
    figure = draw_grid(of_every_method(), np.full(shape, 90, np.uint8))
    drawn = figure.canvas.get_renderer()
    figure.draw(drawn)
    labels = [text for axes in figure.axes[: len(METHODS) + 1] for text in axes.texts[-2:]]
    boxes = [text.get_window_extent(drawn) for text in [*labels, *figure.texts]]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1 for box in boxes)
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 7


def test_a_map_without_heat_says_so_and_names_a_layer_only_where_there_is_one():
    nothing = np.zeros((32, 32), np.float32)
    figure = draw_grid([example(heatmap=nothing), example(heatmap=nothing, layer=None, method="rise")], GREY)
    assert texts(figure.axes[1])[0] == "no part stands out\nfor PNEUMONIA\nin this layer"
    assert texts(figure.axes[2])[0] == "no part stands out\nfor PNEUMONIA"


def test_hostile_names_are_drawn_without_error_or_warning(tmp_path):
    heatmap = example(target="$_", label="$_", classes=("NOR\nMAL", "$_"), true_label="NOR\nMAL", layer="$\\frac{1}$")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_grid(tmp_path / "g.png", [heatmap], GREY)
    assert (tmp_path / "g.png").stat().st_size > 0
