#!/usr/bin/env python
"""Draws the picture of the README: two test images of a run, and each under its heatmap.

They are chosen by a rule: of the sick and of the healthy test images the one with the middle probability.

    python scripts/readme_picture.py demo/runs/demo --out docs/images/heatmap.png
"""

import argparse
from pathlib import Path

import cv2


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN", help="A run of two classes whose images are there.")
    parser.add_argument("--layer", help="Layer of the heatmap.  [default: that of the architecture]")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.png")
    return parser.parse_args()


def typical_images(run):
    """(true class, path) of the sick and the healthy test image with the middle probability, the lower of two."""
    import pandas as pd

    table = pd.read_csv(run.path / "predictions.csv", keep_default_na=False, dtype={"path": str, "probability": float})
    table = table[table["split"] == "test"].sort_values(["probability", "path"])
    root = Path(run.record["data"]["root"])
    groups = [(name, table.loc[table["y_true"] == name, "path"].tolist()) for name in reversed(run.classes)]
    return [(name, root / paths[(len(paths) - 1) // 2]) for name, paths in groups]


def heat_on_image(heatmap, shape):
    """The heat of a `Heatmap`, float32 0-1, at the shape (h,w) of the image in its file."""
    top, left, height, width = heatmap.box
    inside = heatmap.heatmap[top : top + height, left : left + width]
    return cv2.resize(inside, shape[::-1], interpolation=cv2.INTER_LINEAR)


def draw(names, heatmaps, explained, path):
    """Write each image, and beside it the image under the heat of the class `explained`, as one PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from medxray.explain.overlay import heat_colormap

    figure = Figure(figsize=(9, 2.55), dpi=100, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 2 * len(names))
    for name, heatmap, plain, heated in zip(names, heatmaps, axes[::2], axes[1::2], strict=True):
        image = cv2.imread(str(heatmap.file), cv2.IMREAD_GRAYSCALE)
        for one in (plain, heated):
            one.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="lanczos")
            one.set_axis_off()
        heat = heat_on_image(heatmap, image.shape)
        heated.imshow(heat, cmap=heat_colormap(), vmin=0, vmax=1, interpolation="bilinear")
        plain.set_title(name, fontsize=9)
        heated.set_title(f"{explained}: {heatmap.probability:.2f}", fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None}, bbox_inches="tight", pad_inches=0.04)


def main():
    """Explain the images and draw them."""
    args = options()
    import medxray

    run = medxray.load_run(args.run)
    chosen = typical_images(run)
    heatmaps, _ = run.gradcam([str(file) for _, file in chosen], layer=args.layer, target=run.positive)
    draw([name for name, _ in chosen], heatmaps, run.positive, args.out)
    print(*(file for _, file in chosen), args.out, sep="\n")


if __name__ == "__main__":
    main()
