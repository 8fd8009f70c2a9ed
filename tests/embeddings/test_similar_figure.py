"""An image beside its neighbours."""

import numpy as np
import pytest

from medxray.embeddings.similar_figure import NeighborsDisplay, Picture


def display(count, *, label="PNEUMONIA", name="image.png"):
    pictures = [Picture(np.full((20, 24), 9 * rank, np.uint8), label, 0.1 * rank, rank == 0) for rank in range(count)]
    return NeighborsDisplay(np.zeros((20, 24), np.uint8), pictures, name=name, heading="predicted NORMAL, P(x) = 0.2")


def test_neighbours_follow_the_image_in_order():
    panels = display(3).plot().axes
    assert [axes.get_title() for axes in panels] == ["this image", "1. PNEUMONIA", "2. PNEUMONIA", "3. PNEUMONIA"]
    assert [axes.get_xlabel() for axes in panels[1:]] == [
        "distance 0.0000\nthe same file",
        "distance 0.1000",
        "distance 0.2000",
    ]
    assert [int(axes.images[0].get_array()[0, 0]) for axes in panels] == [0, 0, 9, 18]


def test_an_image_that_cannot_be_read_leaves_an_empty_frame():
    broken = NeighborsDisplay(None, [Picture(None, "A", 0.5, False)], name="a", heading="b")
    assert [axes.texts[0].get_text() for axes in broken.plot().axes] == ["file cannot\nbe read"] * 2


@pytest.mark.parametrize("count", [1, 5, 12])
@pytest.mark.parametrize("text", ["PNEUMONIA", "a rather long name of a class, first of all"])
def test_texts_do_not_collide(colliding_texts, count, text):
    assert colliding_texts(display(count, label=text, name=text * 3).plot()) == []
