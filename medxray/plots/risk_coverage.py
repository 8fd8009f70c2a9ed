"""The error among answered patients over the share that is answered, with the operating points of the run."""

from medxray.metrics.unsure_report import highest_error_shown, risk_coverage
from medxray.plots import style
from medxray.plots.marks import Mark, draw_marks


class RiskCoverageDisplay:
    """Risk-coverage curve; each patient counts once."""

    def __init__(self, answered, error, marks, *, risks, report):
        """Store the curve (two float arrays, 0-1), list of Mark, the errors that are promised, and the report."""
        self.answered, self.error, self.marks = answered, error, marks
        self.risks, self.report = risks, report

    @classmethod
    def from_predictions(cls, predictions, decision, *, report):
        """Compute the curve; the operating points are those of the report, where the run has them."""
        points = [point for point in report.get("unsure", {}).get("abstain", ()) if point["bound"] is not None]
        known = [point for point in points if point["error"]["value"] is not None]
        marks = [_mark(point, chosen=number == 0) for number, point in enumerate(known)]
        risks = [point["risk"] for point in points]
        return cls(*risk_coverage(predictions, decision), marks, risks=risks, report=report)

    def plot(self):
        """Draw and return the figure."""
        figure = style.new_figure(6.4, 5.2)
        axes = figure.subplots()
        axes.step(self.answered, self.error, where="post", color=style.BLUE, linewidth=2, label="this split")
        for risk in self.risks:
            axes.axhline(risk, color=style.GREY, linestyle=":", linewidth=1.2)
        draw_marks(axes, self.marks)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02 * self._top(), self._top()))
        axes.set(xlabel="answered (share of patients)", ylabel="error among answered patients")
        style.tidy(axes)
        style.legend(axes, loc="upper left")
        style.title(figure, "Risk-coverage curve", self.report)
        return figure

    def _top(self):
        ends = [mark.y_interval[1] if mark.y_interval else mark.y for mark in self.marks]
        return highest_error_shown(self.answered, self.error, ends)


def _mark(point, *, chosen):
    answered, error = point["answered"], point["error"]
    label = f"--abstain {point['risk']:g}:\n  answered {answered['value']:.3f}, error {error['value']:.3f}"
    return Mark(answered["value"], error["value"], answered["ci95"], error["ci95"], label, chosen)
