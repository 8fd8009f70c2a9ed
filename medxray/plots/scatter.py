"""Embeddings as points on a plane, with the figures about their neighbourhoods."""

import numpy as np
from matplotlib.lines import Line2D

from medxray.plots import style

METHOD_NAMES = {"tsne": "t-SNE", "pca": "PCA"}
_MARKERS = {"train": "o", "val": "s", "test": "^", "": "D"}
_SIZES = {"train": 9, "val": 16, "test": 20, "": 12}
_ALPHA = {"train": 0.45, "val": 0.85, "test": 0.85, "": 0.7}


class ScatterDisplay:
    """A map of embeddings: colour is the class, shape the split."""

    def __init__(self, embeddings, projection, structure):
        """Store Embeddings, their Projection and their `neighborhood.structure_report`."""
        self.embeddings, self.projection, self.structure = embeddings, projection, structure

    def plot(self):
        """Draw and return the figure."""
        figure = style.new_figure(11.4, 6.6)
        axes, beside = figure.subplots(1, 2, width_ratios=(2.1, 1))
        self._draw_points(axes)
        self._draw_legends(beside)
        embeddings = self.embeddings
        counts = (
            f"{style.counted(len(embeddings), 'image')}, "
            f"{style.counted(len(np.unique(embeddings.patients)), 'patient')}"
        )
        name = METHOD_NAMES[self.projection.method]
        figure.suptitle(f"Pooled features of {style.words(embeddings.run)} by {name}\n{counts}", fontsize=11)
        return figure

    def _draw_points(self, axes):
        embeddings, points = self.embeddings, self.projection.points
        for split in self._splits():
            rows = np.flatnonzero(embeddings.splits == split)
            rows = rows[np.random.default_rng(0).permutation(len(rows))]  # no class hides the other
            axes.scatter(
                *points[rows].T,
                c=[style.class_colour(k) for k in embeddings.y_true[rows]],
                marker=_MARKERS[split],
                s=_SIZES[split],
                alpha=_ALPHA[split],
                edgecolors="white",
                linewidths=0.3,
            )
        style.tidy(axes)
        axes.set(xlabel=self.projection.axes[0], ylabel=self.projection.axes[1])
        if self.projection.method == "tsne":
            axes.set(xticks=[], yticks=[])

    def _splits(self):
        return [split for split in _MARKERS if (self.embeddings.splits == split).any()]

    def _draw_legends(self, axes):
        axes.set_axis_off()
        embeddings = self.embeddings
        counts = np.bincount(embeddings.y_true, minlength=len(embeddings.classes))
        classes = [
            Line2D([], [], linestyle="", marker="o", color=style.class_colour(k), label=f"{style.words(name)} (n={count})")
            for k, (name, count) in enumerate(zip(embeddings.classes, counts))
        ]
        splits = [
            Line2D([], [], linestyle="", marker=_MARKERS[split], color=style.GREY, label=split or "no split")
            for split in self._splits()
        ]
        first = style.legend(axes, handles=classes, title="Class", loc="upper left", alignment="left")
        axes.add_artist(first)
        drop = 0.14 + 0.048 * len(classes)
        style.legend(
            axes, handles=splits, title="Split", loc="upper left", bbox_to_anchor=(0, 1 - drop), alignment="left"
        )
        top = 1 - drop - 0.14 - 0.048 * len(splits)
        axes.text(0, top, "\n".join(self._lines()), va="top", fontsize=8.5, transform=axes.transAxes)

    def _lines(self):
        structure = self.structure
        k, metric = structure["k"], structure["metric"]
        lines = [
            "Measured in the original space:",
            f"purity: share of the {k} nearest images",
            f"of other patients with the same label ({metric};",
            f"by chance {structure['chance_purity']:.2f}); silhouette: -1 to 1.",
        ]
        for group in structure["groups"]:
            lines += [
                "",
                f"{style.words(group['name'])} (n={group['n']})",
                f"  purity {_short(group['purity'])}",
                f"  silhouette {_short(group['silhouette'])}",
            ]
        return lines[:40]


def _short(figure):
    """An estimate as "0.97 [0.96, 0.98]"."""
    if figure["value"] is None:
        return "not defined"
    interval = figure["ci95"]
    return f"{figure['value']:.2f}" + ("" if interval is None else f" [{interval[0]:.2f}, {interval[1]:.2f}]")
