"""Progress of work that lasts, with the time left, on standard error. No TensorFlow.

Nothing is shown of work that takes a few seconds. On a terminal one line is written again and again, and removed at the
end; a notebook has a bar below the cell; elsewhere a message of the log comes now and then. A level of the logger
`medxray` above INFO hides them.
"""

import contextlib
import logging
import shutil
import sys
import time

from medxray.system.notebook import CellBar, in_notebook

log = logging.getLogger(__name__)
_HIDDEN = 3  # seconds of work of which a terminal shows nothing
_FIRST, _NEXT = 10, 30  # seconds until the first message of the log, and between later ones
_REDRAWN = 0.1  # seconds between two drawings
_BAR = 20  # signs
_clock = time.monotonic
_live = None  # the bar of the outermost work that is going on


@contextlib.contextmanager
def track(total, label):
    """Show how far work of `total` steps is; what the `with` block gets has the method `advance`.

    Work inside of other work that is tracked shows nothing of its own.

    Args:
        total: number of steps, int; 0: it is not known.
        label: what is being done, str.
    """
    global _live
    if _live is not None:
        yield _Silent()
        return
    _live = _shown_here()(total, label)
    try:
        yield _live
    finally:
        _live.finish()
        _live = None


def counted(batches, total, label, *, size=len):
    """Yield batches, and show how far they are.

    Args:
        batches: iterable.
        total: number of all their rows, int.
        label: what is being done, str.
        size: function (batch) -> number of its rows.
    """
    with track(total, label) as bar:
        for batch in batches:
            yield batch
            bar.advance(size(batch))


def each(items, total, label):
    """Yield items, and show how many of `total` there have been; see `track`."""
    return counted(items, total, label, size=lambda item: 1)


def wipe():
    """Remove the line that a terminal shows now, so that something else can be written; it is drawn again later."""
    if _live is not None:
        _live.wipe()


def time_text(seconds):
    """A length of time in words: "42 s", "3 min", "1 h 5 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _shown_here():
    """The class that shows progress where this process runs."""
    if in_notebook():
        return _Cell
    return _Line if sys.stderr.isatty() else _Messages


class _Silent:
    def advance(self, steps, note=None):
        """Nothing: work around this one is shown."""


class _Progress:
    """How far work is; a subclass shows it."""

    def __init__(self, total, label):
        self.total, self.label, self.done = total, label, 0
        self._start, self._first = _clock(), None  # of the first step: (time, steps); what is compiled makes it slow
        self._due = self._start + self.wait

    def advance(self, steps, note=None):
        """Move on by `steps`; `note` is shown behind them."""
        self.done += steps
        now = _clock()
        self._first = self._first or (now, self.done)
        shown = self.done != self.total and logging.getLogger("medxray").level <= logging.INFO
        if shown and now >= self._due:
            self._due = now + self.pause
            self.show(self._left(now), note)

    def _left(self, now):
        """Seconds left; None where that is not known."""
        if not self.total or not self.done:
            return None
        time, steps = self._first if self.done > self._first[1] else (self._start, 0)
        return max((now - time) / (self.done - steps) * (self.total - self.done), 0)

    def wipe(self):
        """Remove what would be in the way."""

    def finish(self):
        """The work is done or has failed."""
        self.wipe()


class _Line(_Progress):
    wait, pause = _HIDDEN, _REDRAWN
    _drawn = 0  # signs on the terminal

    def show(self, left, note):
        """Write the line over the one before it."""
        parts = [self.label, f"{self.done}"]
        if self.total:
            full = min(_BAR * self.done // self.total, _BAR)
            parts[1:] = [f"[{'#' * full}{'.' * (_BAR - full)}]", f"{self.done}/{self.total}", f"{time_text(left)} left"]
        text = "  ".join([*parts, *([str(note)] if note else [])])
        text = text[: shutil.get_terminal_size().columns - 1]
        print(f"\r{text:<{self._drawn}}", end="", file=sys.stderr, flush=True)
        self._drawn = len(text)

    def wipe(self):
        """Overwrite the line with spaces; not every terminal knows sequences that erase."""
        if self._drawn:
            print(f"\r{'':<{self._drawn}}\r", end="", file=sys.stderr, flush=True)
            self._drawn = 0


class _Cell(_Progress):
    wait, pause = _HIDDEN, _REDRAWN
    _bar = None

    def show(self, left, note):
        """Draw the bar anew in its place."""
        self._bar = self._bar or CellBar(self.label)
        more = [f"{time_text(left)} left"] * (left is not None and self.done < self.total) + [str(note)] * bool(note)
        self._bar.show(self.done, self.total, "  ".join(more))

    def finish(self):
        """Leave a bar that was drawn at its last step."""
        if self._bar is not None:
            self._bar.show(self.done, self.total)


class _Messages(_Progress):
    wait, pause = _FIRST, _NEXT

    def show(self, left, note):
        """Tell the log."""
        if self.total:
            log.info("%s: %d of %d, about %s left.", self.label, self.done, self.total, time_text(left))
        else:
            log.info("%s: %d.", self.label, self.done)
