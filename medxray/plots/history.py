"""How training went: loss, AUROC and accuracy per epoch."""

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from medxray.plots import style

MEASURED = ("loss", "accuracy", "auroc", "val_loss", "val_accuracy", "val_auroc")
_SCORES = (("auroc", "AUROC", style.BLUE), ("accuracy", "accuracy", style.GREEN))


class HistoryDisplay:
    """Curves over the epochs of all stages, with stage boundaries and the epoch that was kept."""

    def __init__(self, table, *, best):
        """Store the table of epochs and the row (from 0) whose weights were kept, or None."""
        self.table, self.best = table.reset_index(drop=True), best

    @classmethod
    def from_table(cls, table):
        """Find the epoch that was kept: the first lowest validation loss of the last stage.

        Args:
            table: DataFrame of history.csv, one row per epoch: stage, epoch, loss, accuracy, val_loss, val_accuracy,
                val_auroc; columns may be missing and values may be empty. Epoch 0 is that of the starting weights.
        """
        table = table.reset_index(drop=True)
        measured = [name for name in table.columns if name in MEASURED]
        table[measured] = table[measured].apply(pd.to_numeric, errors="coerce")
        if "val_loss" not in table or not len(table):
            return cls(table, best=None)
        losses = table["val_loss"]
        if "stage" in table:
            losses = losses[table["stage"] == table["stage"].iloc[-1]]
        losses = losses.dropna()
        return cls(table, best=int(losses.idxmin()) if len(losses) else None)

    @property
    def _epochs(self):
        """Where each row is drawn: epochs trained so far, all stages counted through; int array."""
        if "epoch" not in self.table:
            return np.arange(1, len(self.table) + 1)
        return np.cumsum(pd.to_numeric(self.table["epoch"], errors="coerce").to_numpy() != 0)

    def plot(self):
        """Draw and return the figure."""
        figure = style.new_figure(7.6, 7.2)
        upper, lower = figure.subplots(2, 1, sharex=True)
        self._line(upper, "loss", "loss, training", style.VERMILLION, training=True)
        self._line(upper, "val_loss", "loss, validation", style.VERMILLION, training=False)
        upper.set_ylabel("loss")
        for name, words, colour in _SCORES:
            self._line(lower, name, f"{words}, training", colour, training=True)
            self._line(lower, f"val_{name}", f"{words}, validation", colour, training=False)
        lower.set(ylabel="AUROC, accuracy", xlabel="epoch (all stages counted through)")
        for axes in (upper, lower):
            style.tidy(axes)
            self._mark_stages(axes, named=axes is upper)
            self._mark_best(axes, named=axes is upper)
            if axes.get_legend_handles_labels()[0]:
                style.legend(axes, loc="best")
        epochs = self._epochs
        lower.set_xlim(min(epochs, default=1) - 0.5, max(epochs, default=0) + 0.5)
        lower.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        figure.suptitle(
            f"Training history: {style.counted(int(max(epochs, default=0)), 'epoch')}{self._kept()}", fontsize=11
        )
        return figure

    def _line(self, axes, column, label, colour, *, training):
        if column not in self.table or self.table[column].isna().all():
            return
        epochs = self._epochs
        look = {"linestyle": "--", "marker": "s", "markerfacecolor": "white"} if training else {"marker": "o"}
        axes.plot(epochs, self.table[column], color=colour, markersize=4.5, linewidth=1.8, label=label, **look)

    def _mark_stages(self, axes, *, named):
        if "stage" not in self.table or not len(self.table):
            return
        stages = self.table["stage"].astype(str).to_numpy()
        rows = np.flatnonzero(np.append(True, stages[1:] != stages[:-1]))
        ends = [int(self._epochs[row - 1]) for row in np.append(rows[1:], len(stages))]
        for row, start, end in zip(rows, [0, *ends[:-1]], ends, strict=True):
            if start:
                axes.axvline(start + 0.5, color=style.GREY, linewidth=1.2)
            if named:
                axes.text(
                    (start + end + 1) / 2,
                    1.015,
                    f"stage {style.words(stages[row], 20)}",
                    transform=axes.get_xaxis_transform(),
                    ha="center",
                    va="bottom",
                    fontsize=9,
                    color=style.GREY,
                )

    def _mark_best(self, axes, *, named):
        if self.best is not None:
            label = "epoch that was kept" if named else None
            axes.axvline(self._epochs[self.best], color=style.BLACK, linestyle=":", linewidth=1.5, label=label)

    def _kept(self):
        if self.best is None:
            return ""
        row = self.table.iloc[self.best]
        parts = [f"validation {words} {row[column]:.4f}" for column, words in self._kept_figures(row)]
        return f"\nkept: epoch {self._epochs[self.best]}, " + ", ".join(parts)

    def _kept_figures(self, row):
        known = (("val_loss", "loss"), ("val_auroc", "AUROC"), ("val_accuracy", "accuracy"))
        return [(column, words) for column, words in known if column in row and np.isfinite(row[column])]
