"""Images and patients of each split and class."""

import numpy as np

from medxray.plots import style


class FlowDisplay:
    """Two panels, images and patients: a bar for each split, parted by class."""

    def __init__(self, counts, *, left_out):
        """Store rows with split, label, images and patients, and how many files were left out."""
        self.counts, self.left_out = list(counts), left_out

    @classmethod
    def from_record(cls, record):
        """Take the counts of a run.json, dict."""
        return cls(record["data"]["counts"], left_out=len(record["data"].get("skipped", ())))

    def plot(self):
        """Draw and return the figure."""
        splits = list(dict.fromkeys(row["split"] for row in self.counts))
        labels = list(dict.fromkeys(row["label"] for row in self.counts))
        figure = style.new_figure(9.6, 1.9 + 0.55 * len(splits) + 0.12 * len(labels))
        panels = figure.subplots(1, 2, sharey=True)
        for axes, what in zip(panels, ("images", "patients"), strict=True):
            self._draw(axes, what, splits, labels)
        panels[0].set_yticks(range(len(splits)), [style.words(split or "no split") for split in splits])
        handles, names = panels[0].get_legend_handles_labels()
        style.legend(figure, handles=handles, labels=names, loc="outside lower center", ncols=min(4, len(labels)))
        images = sum(row["images"] for row in self.counts)
        left_out = f"; {style.counted(self.left_out, 'file')} left out" if self.left_out else ""
        figure.suptitle(f"Images and patients of each split: {style.counted(images, 'image')}{left_out}", fontsize=11)
        return figure

    def _draw(self, axes, what, splits, labels):
        found = {(row["split"], row["label"]): row[what] for row in self.counts}
        begin = np.zeros(len(splits))
        for k, label in enumerate(labels):
            values = np.array([found.get((split, label), 0) for split in splits])
            axes.barh(range(len(splits)), values, left=begin, color=style.class_colour(k), label=style.words(label))
            begin += values
        for place, total in enumerate(begin):
            axes.text(total, place, f" {total:,.0f}", va="center", fontsize=9)
        axes.set(xlabel=what, ylim=(len(splits) - 0.5, -0.5), xlim=(0, 1.18 * max(1, begin.max())))
        style.tidy(axes, grid="x")
