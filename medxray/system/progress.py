"""Progress bars on standard error, drawn only on a terminal."""

import contextlib
import sys

import click


class _Bar:
    def __init__(self, bar):
        self._bar = bar

    def advance(self, steps, note=None):
        """Move on by `steps`; `note` is shown behind the bar."""
        self._bar.update(steps, note)


@contextlib.contextmanager
def track(total, label):
    """Show a bar of `total` steps; what the `with` block gets has the method `advance`."""
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
