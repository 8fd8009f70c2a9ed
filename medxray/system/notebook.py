"""What is shown below the cell of a notebook, where the control characters of a terminal would stay as garbage."""

import html
import sys


def in_notebook():
    """Whether a notebook's kernel runs this process; asks IPython only where it is loaded already."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


class CellBar:
    """A progress bar below the cell, drawn anew in its place.

    Args:
        label: what is being done, str.
    """

    def __init__(self, label):
        self._label, self._place = label, None

    def show(self, done, total, note=None):
        """Draw the bar.

        Args:
            done: steps that are done, int.
            total: all steps, int; 0: it is not known.
            note: str or None, shown behind the bar.
        """
        from IPython.display import HTML, display

        label, note = (html.escape(str(text or "")) for text in (self._label, note))
        bar = f'<progress value="{done}" max="{total}"></progress> {done}/{total}' if total else str(done)
        shown = HTML(f"<div>{label} {bar} {note}</div>")
        if self._place is None:
            self._place = display(shown, display_id=True)
        else:
            self._place.update(shown)
