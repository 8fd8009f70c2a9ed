"""Figures of parts of a split with their intervals, beside those of the whole."""

import math

from medxray.plots import style

_FIGURES = (
    ("auroc", "AUROC"),
    ("sensitivity", "sensitivity"),
    ("specificity", "specificity"),
    ("accuracy", "accuracy"),
)
_GROUPS = {"subtype": "subtype", "image_size": "image size", "brightness": "brightness"}


class SubgroupsDisplay:
    """A panel for each figure and a row for each part; a dotted line stands at the figure of the whole split."""

    def __init__(self, parts, *, report):
        """Store dict words of a part -> its figures, and the report of the split."""
        self.parts, self.report = parts, report

    @classmethod
    def from_report(cls, report):
        """Take the subgroups of an evaluation report; there may be none."""
        parts = {}
        for group, found in report["subgroups"].items():
            parts |= {f"{_GROUPS.get(group, group)} {_named(name, one)}": one for name, one in found.items()}
        return cls(parts, report=report)

    def plot(self):
        """Draw and return the figure."""
        shown = [pair for pair in _FIGURES if any(pair[0] in figures for figures in self.parts.values())]
        figure = style.new_figure(3.4 + 2.3 * len(shown), 1.7 + 0.36 * len(self.parts))
        panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
        for axes, (name, words) in zip(panels, shown, strict=True):
            self._draw(axes, name)
            axes.set_title(words, fontsize=10)
        names = [f"{words}\n{figures['n']:,} images" for words, figures in self.parts.items()]
        panels[0].set_yticks(range(len(names)), names, fontsize=8)
        panels[0].set_ylim(len(names) - 0.5, -0.5)
        style.title(figure, "Subgroups, 95 % intervals by patient; dotted: the whole split", self.report)
        return figure

    @property
    def _begin(self):
        """Where all scales begin: a tenth below the lowest interval, so that small differences are seen."""
        found = [self.report[name] for name, _ in _FIGURES]
        found += [figures.get(name) for figures in self.parts.values() for name, _ in _FIGURES]
        known = [one for one in found if one and one["value"] is not None]
        lowest = min((min([one["value"], *(one["ci95"] or ())]) for one in known), default=0.0)
        return max(-0.02, math.floor(10 * lowest) / 10 - 0.1)

    def _draw(self, axes, name):
        whole = self.report[name]["value"]
        if whole is not None:
            axes.axvline(whole, color=style.GREY, linestyle=":", linewidth=1.5)
        for place, figures in enumerate(self.parts.values()):
            found = figures.get(name, {"value": None})
            if found["value"] is None:
                axes.text(0.5, place, "–", transform=axes.get_yaxis_transform(), ha="center", va="center")
                continue
            if found["ci95"]:
                axes.plot(found["ci95"], [place, place], color=style.BLUE, linewidth=1.6)
            axes.plot(found["value"], place, "o", color=style.BLUE, markersize=5)
        axes.set_xlim(self._begin, 1.02)
        style.tidy(axes, grid="x")


def _named(name, figures):
    if "range" not in figures:
        return style.words(name, 24)
    low, high = figures["range"]
    return f"{name}: {low:.3g} to {high:.3g}"
