"""How training went: loss, AUROC, accuracy and learning rate per epoch."""

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from medxray.metrics.history import CALIBRATED, epochs_trained, kept_row, measured_table, stage_spans
from medxray.plots import style

RATE = "learning_rate"
_KEPT = ((CALIBRATED, "NLL after calibration"), ("val_auroc", "AUROC"), ("val_accuracy", "accuracy"))
_SCORES = (("auroc", "AUROC", style.BLUE), ("accuracy", "accuracy", style.GREEN))


class HistoryDisplay:
    """Curves over the epochs of all stages, with stage boundaries and the epoch that was kept."""

    def __init__(self, table, *, best):
        """Store the table of epochs and the row (from 0) whose weights were kept, or None."""
        self.table, self.best = table.reset_index(drop=True), best

    @classmethod
    def from_table(cls, table):
        """Find the epoch that was kept, see `metrics.history.kept_row`.

        Args:
            table: DataFrame of history.csv, one row per epoch: stage, epoch, loss, accuracy, val_loss, val_accuracy,
                val_auroc, learning_rate; columns may be missing and values may be empty. Epoch 0 is that of the
                starting weights.
        """
        table = measured_table(table)
        if RATE in table:
            table[RATE] = pd.to_numeric(table[RATE], errors="coerce")
        return cls(table, best=kept_row(table))

    @property
    def _epochs(self):
        """Where each row is drawn: epochs trained so far, all stages counted through; int array."""
        return epochs_trained(self.table)

    def plot(self):
        """Draw and return the figure."""
        rates = [RATE] if self._has(RATE) else []
        figure = style.new_figure(7.6, 7.2 + 1.6 * len(rates))
        heights = [3, 3, *(1 for _ in rates)]
        upper, lower, *further = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
        self._line(upper, "loss", "loss, training", style.VERMILLION, training=True)
        self._line(upper, "val_loss", "loss, validation", style.VERMILLION, training=False)
        self._line(upper, CALIBRATED, "NLL after calibration, validation", style.ORANGE, training=False)
        upper.set_ylabel("loss")
        for name, words, colour in _SCORES:
            self._line(lower, name, f"{words}, training", colour, training=True)
            self._line(lower, f"val_{name}", f"{words}, validation", colour, training=False)
        lower.set_ylabel("AUROC, accuracy")
        for axes in further:
            self._line(axes, RATE, "learning rate", style.PURPLE, training=False)
            axes.set(ylabel="learning rate", yscale="log")
        for axes in (upper, lower, *further):
            style.tidy(axes)
            self._mark_stages(axes, named=axes is upper)
            self._mark_best(axes, named=axes is upper)
            if axes not in further and axes.get_legend_handles_labels()[0]:
                style.legend(axes, loc="best")
        epochs = self._epochs
        lower.set_xlim(min(epochs, default=1) - 0.5, max(epochs, default=0) + 0.5)
        lower.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        (further or [lower])[-1].set_xlabel("epoch (all stages counted through)")
        figure.suptitle(
            f"Training history: {style.counted(int(max(epochs, default=0)), 'epoch')}{self._kept()}", fontsize=11
        )
        return figure

    def _has(self, column):
        return column in self.table and self.table[column].notna().any()

    def _line(self, axes, column, label, colour, *, training):
        if not self._has(column):
            return
        epochs = self._epochs
        look = {"linestyle": "--", "marker": "s", "markerfacecolor": "white"} if training else {"marker": "o"}
        axes.plot(epochs, self.table[column], color=colour, markersize=4.5, linewidth=1.8, label=label, **look)

    def _mark_stages(self, axes, *, named):
        for stage, start, end in stage_spans(self.table):
            if start:
                axes.axvline(start + 0.5, color=style.GREY, linewidth=1.2)
            if named:
                axes.text(
                    (start + end + 1) / 2,
                    1.015,
                    f"stage {style.words(stage, 20)}",
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
        parts = [f"{words} {row[column]:.4f}" for column, words in self._kept_figures(row)]
        return f"\nkept: epoch {self._epochs[self.best]}; validation: " + ", ".join(parts)

    def _kept_figures(self, row):
        """What the title says of a row: what the epoch was kept by comes first."""
        known = [(column, words) for column, words in _KEPT if column in row and np.isfinite(row[column])]
        return known if known and known[0] == _KEPT[0] else [("val_loss", "loss"), *known]
