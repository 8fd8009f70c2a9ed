"""Plots of a check of explanation methods: what covered pixels do to the score, and random weights to the maps."""

from medxray.plots import style

_TITLES = {"deletion": "deletion", "insertion": "insertion", "road": "ROAD"}
_REFERENCES = {"random": (style.GREY, ":"), "centre": (style.BLACK, "--")}


class FaithfulnessDisplay:
    """Mean score over the share of pixels covered, uncovered and imputed, a line for each method."""

    def __init__(self, report):
        """Store a report of `medxray explain evaluate`, dict."""
        self.report = report

    def plot(self):
        """Draw and return the figure."""
        figure = style.new_figure(12.5, 4.4)
        panels = figure.subplots(1, len(_TITLES), sharey=True)
        for axes, (name, words) in zip(panels, _TITLES.items(), strict=True):
            for method, colour, line, found in _lines(self.report):
                values = found[name]["curve"]
                shares = [0.0, *self.report["fractions"][name], 1.0][: len(values)]
                axes.plot(shares, values, color=colour, linestyle=line, marker=".", label=method)
            axes.set(xlabel="share of pixels", ylim=(-0.02, 1.02))
            axes.set_title(f"{words} ({self.report['better'][name]} is better)", fontsize=10)
            style.tidy(axes)
        panels[0].set_ylabel("probability of the explained class")
        style.legend(panels[-1], loc="best")
        style.title(figure, "Faithfulness of heatmaps: the brightest pixels first", self.report)
        return figure


class RandomisationDisplay:
    """Rank correlation with the original maps over the depth down to which weights are random."""

    def __init__(self, report):
        """Store a report of `medxray explain evaluate`, dict."""
        self.report = report

    def plot(self):
        """Draw and return the figure."""
        figure = style.new_figure(8.4, 4.8)
        axes = figure.subplots()
        methods = [line for line in _lines(self.report) if "randomisation" in line[3]]
        for method, colour, line, found in methods:
            checked = found["randomisation"]
            values = [1.0, *(depth["rank_correlation"] for depth in checked["depths"])]
            label = method if checked["passed"] else f"{method} (fails)"
            axes.plot(range(len(values)), values, color=colour, linestyle=line, marker="o", label=label)
            axes.plot(len(values) - 1, checked["between_images"], color=colour, marker="x", markersize=9, linestyle="")
        if methods:
            names = ["none", *(depth["randomised"] for depth in methods[0][3]["randomisation"]["depths"])]
            axes.set_xticks(range(len(names)), names, rotation=20)
            style.legend(axes, loc="best")
        axes.set(xlabel="weights are random down to", ylabel="rank correlation with the original map")
        style.tidy(axes)
        style.title(figure, "Maps under random weights; crosses: maps of different images", self.report)
        return figure


def _lines(report):
    """(name, colour, line style, figures) of each reference map and method."""
    for name, found in report["references"].items():
        yield name, *_REFERENCES[name], found
    for place, (name, found) in enumerate(report["methods"].items()):
        yield name, style.class_colour(place), style.class_line(place), found
