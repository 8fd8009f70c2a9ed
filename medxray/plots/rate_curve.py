"""The loss over a rising learning rate, with the rate that is suggested."""

from medxray.plots import style


class RateCurveDisplay:
    """Loss of each step and smoothed loss over the learning rate of a range test."""

    def __init__(self, curve, *, stage, suggested):
        """Store what is drawn.

        Args:
            curve: DataFrame of `training.rate_search.rate_curve`.
            stage: name of the stage.
            suggested: learning rate.
        """
        self.curve, self.stage, self.suggested = curve, stage, suggested

    def plot(self):
        """Draw and return the figure."""
        figure = style.new_figure(7.6, 4.6)
        axes = figure.subplots()
        rates = self.curve["learning_rate"]
        axes.plot(rates, self.curve["loss"], color=style.SKY, linewidth=1, label="loss of each step")
        axes.plot(rates, self.curve["smoothed"], color=style.BLUE, linewidth=2, label="smoothed")
        axes.axvline(self.suggested, color=style.VERMILLION, linestyle="--", label=f"suggested: {self.suggested:g}")
        axes.set(xscale="log", xlabel="learning rate", ylabel="training loss")
        axes.set_ylim(0, 1.5 * self.curve["smoothed"].iloc[0])
        style.tidy(axes)
        style.legend(axes, loc="best")
        figure.suptitle(f"Learning-rate range test, stage {style.words(self.stage)}", fontsize=11)
        return figure
