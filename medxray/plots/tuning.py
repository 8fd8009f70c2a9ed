"""A search for options as pictures: the values of its trials, which options they had, and which of these decide."""

import numpy as np

from medxray.plots import style


class TrialsDisplay:
    """The value of each trial, and the best so far."""

    def __init__(self, table, *, words, judged_on, maximize):
        """Store what is drawn.

        Args:
            table: DataFrame with trial (number), state ("complete", "pruned", "failed", ...), value, low, high.
            words: the figure in words.
            judged_on: of what it is.
            maximize: whether the highest value is the best.
        """
        self.table, self.words, self.judged_on, self.maximize = table, words, judged_on, maximize

    def plot(self):
        """Draw and return the figure."""
        figure = style.new_figure(7.6, 4.6)
        axes = figure.subplots()
        complete = self.table[self.table["state"] == "complete"]
        values = complete["value"].astype(float)
        best = (np.maximum if self.maximize else np.minimum).accumulate(values.to_numpy())
        reach = np.stack([values - complete["low"].astype(float), complete["high"].astype(float) - values])
        axes.errorbar(
            complete["trial"],
            values,
            yerr=np.nan_to_num(np.maximum(reach, 0)),
            fmt="o",
            color=style.BLUE,
            ecolor=style.SKY,
            elinewidth=1,
            label="complete, 95 % by patient",
        )
        axes.step(complete["trial"], best, where="post", color=style.VERMILLION, label="best so far")
        self._mark(axes, "pruned", "x", style.GREY, "pruned, last epoch")
        for state in ("failed", "interrupted"):
            for number in self.table.loc[self.table["state"] == state, "trial"]:
                axes.axvline(number, color=style.GREY, linestyle=":", linewidth=1)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set(xlabel="trial (dotted: without a value)", ylabel=self.words)
        style.tidy(axes)
        style.legend(axes, loc="best")
        figure.suptitle(f"Trials: {self.words}\n{self.judged_on}", fontsize=11)
        return figure

    def _mark(self, axes, state, marker, colour, label):
        part = self.table[(self.table["state"] == state) & self.table["value"].notna()]
        if len(part):
            axes.plot(part["trial"], part["value"].astype(float), marker, color=colour, label=label)


class ImportanceDisplay:
    """How much each option decides, as bars."""

    def __init__(self, importances, *, words, judged_on):
        """Store what is drawn.

        Args:
            importances: dict option -> share, the largest first.
            words: the figure in words.
            judged_on: of what it is.
        """
        self.importances, self.words, self.judged_on = importances, words, judged_on

    def plot(self):
        """Draw and return the figure."""
        names, shares = list(self.importances), list(self.importances.values())
        figure = style.new_figure(7.6, 1.6 + 0.36 * len(names))
        axes = figure.subplots()
        places = np.arange(len(names))[::-1]
        axes.barh(places, shares, height=0.6, color=style.BLUE, alpha=0.7)
        for place, share in zip(places, shares, strict=True):
            axes.text(share, place, f" {share:.2f}", va="center", fontsize=9)
        axes.set_yticks(places, [style.words(name.replace("_", "-")) for name in names])
        axes.set(xlim=(0, 1.12 * max(shares)), xlabel="share of what decides (PED-ANOVA)")
        style.tidy(axes, grid="x")
        figure.suptitle(
            f"What decides whether a trial is among the best quarter\n{self.words}, {self.judged_on}", fontsize=11
        )
        return figure


class ParallelDisplay:
    """Each complete trial as a line through the options that it had and its value."""

    def __init__(self, table, space, *, words, judged_on, maximize):
        """Store what is drawn.

        Args:
            table: DataFrame with state, value and a column for each option.
            space: what is searched: objects with name, option, low, high, log, and choices (or None).
            words: the figure in words.
            judged_on: of what it is.
            maximize: whether the highest value is the best.
        """
        complete = table[table["state"] == "complete"].assign(value=lambda rows: rows["value"].astype(float))
        self.table = complete.sort_values("value", ascending=maximize)  # the best lies on top
        self.space, self.words, self.judged_on, self.maximize = space, words, judged_on, maximize

    def plot(self):
        """Draw and return the figure."""
        from matplotlib import colormaps

        figure = style.new_figure(2.4 + 1.5 * len(self.space), 5.0)
        axes = figure.subplots()
        values = self.table["value"].to_numpy()
        shares = _spread(values, values.min(), values.max())
        heights = np.stack([*(_heights(one, self.table[one.name]) for one in self.space), shares], axis=1)
        colours = colormaps["viridis"](shares if self.maximize else 1 - shares)
        for line, colour in zip(heights, colours, strict=True):
            axes.plot(line, color=colour, linewidth=1.6, alpha=0.8)
        for place, one in enumerate(self.space):
            self._scale(axes, place, *_ticks(one))
        self._scale(axes, len(self.space), (0, 1), [f"{values.min():.3f}", f"{values.max():.3f}"])
        names = [*(style.words(one.option) for one in self.space), self.words]
        axes.set_xticks(range(len(names)), names, rotation=20, ha="right")
        axes.set(xlim=(-0.3, len(names) - 0.3), ylim=(-0.06, 1.06), yticks=[])
        axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
        figure.suptitle(
            f"Options and value of {style.counted(len(values), 'complete trial')}, the best in yellow\n"
            f"{self.words}, {self.judged_on}",
            fontsize=11,
        )
        return figure

    def _scale(self, axes, place, heights, labels):
        axes.axvline(place, color=style.GREY, linewidth=1, zorder=0)
        for height, label in zip(heights, labels, strict=True):
            axes.text(place + 0.04, height, style.words(label, 16), fontsize=8, va="center")


def _heights(one, column):
    """Where the values of an option lie on its axis, 0-1."""
    if one.choices:
        places = {value: rank / max(len(one.choices) - 1, 1) for rank, value in enumerate(one.choices)}
        return np.array([places[value] for value in column])
    values, low, high = column.to_numpy(float), one.low, one.high
    return _spread(*map(np.log, (values, low, high))) if one.log else _spread(values, low, high)


def _ticks(one):
    if one.choices:
        count = max(len(one.choices) - 1, 1)
        return [rank / count for rank in range(len(one.choices))], [str(value) for value in one.choices]
    middle = np.sqrt(one.low * one.high) if one.log else (one.low + one.high) / 2
    return (0, 0.5, 1), [f"{value:.2g}" for value in (one.low, middle, one.high)]


def _spread(values, low, high):
    return (values - low) / (high - low) if high > low else np.full(np.shape(values), 1.0)
