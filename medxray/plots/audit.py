"""What shortcuts do to the answers of a model, and how well they predict the class by themselves."""

from medxray.plots import style

_REGIONS = (
    ("changed_by_border", "border"),
    ("changed_by_marker_region", "upper corners"),
    ("changed_by_outside_lungs", "outside the lungs"),
)
_MODEL = (("unchanged", "model"), ("with_lungs", "model, lungs found"), ("without_lungs", "model, lungs blanked out"))
_ALONE = (
    ("size", "image size alone"),
    ("border_pixels", "border pixels alone"),
    ("lungs_masked", "pixels outside the lungs alone"),
)


class ChangesDisplay:
    """Shares of answers that change beside AUROCs, each with its interval by patient."""

    def __init__(self, report):
        """Store a report of `medxray explain audit`, dict."""
        self.report = report

    def plot(self):
        """Draw and return the figure."""
        figure = style.new_figure(12.5, 4.6)
        left, right = figure.subplots(1, 2)
        _bars(left, self._changes(), "share of the answers that change")
        _bars(right, self._figures(), "AUROC")
        right.axvline(0.5, color=style.GREY, linestyle=":", linewidth=1)
        style.title(figure, f"Shortcut audit: answers for {style.words(self.report['explained'])}", self.report)
        return figure

    def _changes(self):
        """(words, figure with value, ci95 and n, colour) of each bar."""
        for key, words in _REGIONS:
            yield f"{words}: another image's", self.report[key], style.BLUE
            yield f"{words}: mean colour", self.report[key]["mean_colour"], style.SKY
        for severity, found in self.report["flipped_by_marker"]["by_severity"].items():
            yield f"pasted marker, severity {severity}", found, style.ORANGE
        yield "lungs: mean colour (no shortcut)", self.report["changed_by_lungs"], style.GREY

    def _figures(self):
        for key, words in _MODEL:
            found = self.report["model"][key]
            yield words, found["auroc"] | {"n": found["n"]}, style.GREY if key != "without_lungs" else style.BLUE
        for key, words in _ALONE:
            if key in self.report["shortcuts"]:  # not in reports of earlier versions
                found = self.report["shortcuts"][key]
                yield words, found["auroc"] | {"n": found["n"]}, style.VERMILLION


def _bars(axes, rows, label):
    rows = list(rows)
    for place, (_, found, colour) in enumerate(rows):
        if found["value"] is None:
            axes.text(0.01, place, "unknown", va="center", fontsize=8.5, color=style.GREY)
            continue
        axes.barh(place, found["value"], color=colour, height=0.62)
        if found["ci95"]:
            axes.plot(found["ci95"], [place, place], color=style.BLACK, linewidth=1.4)
    axes.set_yticks(range(len(rows)), [f"{words} ({found['n']})" for words, found, _ in rows], fontsize=8.5)
    axes.set(xlim=(0, 1.02), xlabel=label, ylim=(len(rows) - 0.4, -0.6))
    style.tidy(axes, grid="x")
