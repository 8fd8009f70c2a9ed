"""Progress bars below a cell, with an IPython that is drawn here: the real one runs in tests/test_notebooks.py."""

import sys
import types

import pytest

from medxray.system import progress
from medxray.system.notebook import CellBar, in_notebook


@pytest.fixture
def cell(monkeypatch):
    """What is displayed: a list of lists, one for each place, with all that was drawn there."""
    places = []

    class Place:
        def __init__(self, shown):
            self.drawn = [shown]

        def update(self, shown):
            self.drawn.append(shown)

    def display(shown, display_id):
        assert display_id is True
        places.append(Place(shown))
        return places[-1]

    ipython, shown = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel="a kernel")
    shown.HTML, shown.display, ipython.display = str, display, shown
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", shown)
    return places


def test_only_a_kernel_is_a_notebook(cell, monkeypatch):
    assert in_notebook()
    sys.modules["IPython"].get_ipython = lambda: object()  # IPython in a terminal
    assert not in_notebook()
    sys.modules["IPython"].get_ipython = lambda: None
    assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()


def test_a_bar_is_drawn_anew_in_its_place_and_texts_stay_texts(cell):
    bar = CellBar("<Heat>")
    bar.show(1, 4)
    bar.show(4, 4, "loss <0.5>")
    (place,) = cell
    assert place.drawn == [
        '<div>&lt;Heat&gt; <progress value="1" max="4"></progress> 1/4 </div>',
        '<div>&lt;Heat&gt; <progress value="4" max="4"></progress> 4/4 loss &lt;0.5&gt;</div>',
    ]


def test_work_in_a_notebook_has_a_bar_below_the_cell_and_writes_nothing_else(cell, capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress, "_clock", lambda: now[0])
    with progress.track(4, "Features") as bar:
        for _ in range(4):
            now[0] += 2
            bar.advance(1, "a note")
    (place,) = cell
    assert 'value="2" max="4"' in place.drawn[0] and "4 s left  a note" in place.drawn[0]
    assert 'value="4" max="4"' in place.drawn[-1] and "left" not in place.drawn[-1]
    assert capsys.readouterr() == ("", "")


def test_short_work_in_a_notebook_has_no_bar(cell, capsys):
    with progress.track(3, "Features") as bar:
        bar.advance(3)
    assert cell == [] and capsys.readouterr() == ("", "")
