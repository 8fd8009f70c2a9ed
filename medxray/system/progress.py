"""Progress bars: on a terminal on standard error, in a notebook below the cell, else none."""

import contextlib
import sys
import time

import click

from medxray.system.notebook import CellBar, in_notebook

_PAUSE = 0.2  # seconds between two drawings in a notebook


class _Bar:
    def __init__(self, bar):
        self._bar = bar

    def advance(self, steps, note=None):
        """Move on by `steps`; `note` is shown behind the bar."""
        self._bar.update(steps, note)


class _CellProgress:
    def __init__(self, total, label):
        self._total, self._bar, self._done, self._note, self._drawn = total, CellBar(label), 0, None, 0.0

    def advance(self, steps, note=None):
        """Move on by `steps`; `note` is shown behind the bar."""
        self._done, self._note = self._done + steps, note
        if time.monotonic() - self._drawn >= _PAUSE:
            self.draw()

    def draw(self):
        """Show how far it is."""
        self._drawn = time.monotonic()
        self._bar.show(self._done, self._total, self._note)


@contextlib.contextmanager
def _in_cell(total, label):
    shown = _CellProgress(total, label)
    shown.draw()
    try:
        yield shown
    finally:
        shown.draw()


@contextlib.contextmanager
def track(total, label):
    """Show a bar of `total` steps; what the `with` block gets has the method `advance`."""
    if in_notebook():
        with _in_cell(total, label) as shown:
            yield shown
        return
    bar = click.progressbar(
        length=total,
        label=label,
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
        item_show_func=lambda note: note,
        show_pos=True,
    )
    with bar as shown:
        yield _Bar(shown)
