#!/usr/bin/env python
"""Draws the picture of the README: a phantom with an opacity, and the same image under its heatmap.

The outline is the opacity as the phantom was drawn. The image is chosen by hand: a good case, not a typical one.

    python scripts/readme_picture.py demo/runs/demo demo/phantoms person132_bacteria_295 --out docs/images/heatmap.png
"""

import argparse
from pathlib import Path

import cv2


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN", help="A run trained on the phantoms.")
    parser.add_argument("phantoms", type=Path, metavar="DIR", help="What `medxray data phantom` wrote.")
    parser.add_argument("image", metavar="NAME", help="Name of a picture with an opacity, without its ending.")
    parser.add_argument("--layer", help="Layer of the heatmap.  [default: that of the architecture]")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.png")
    return parser.parse_args()


def heat_on_image(heatmap, shape):
    """The heat of a `Heatmap`, float32 0-1, at the shape (h,w) of the image in its file."""
    top, left, height, width = heatmap.box
    inside = heatmap.heatmap[top : top + height, left : left + width]
    return cv2.resize(inside, shape[::-1], interpolation=cv2.INTER_LINEAR)


def draw(heatmap, mask, path):
    """Write the image, and beside it the image under its heat with the outline of a mask, as one PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from medxray.explain.overlay import heat_colormap

    image = cv2.imread(str(heatmap.file), cv2.IMREAD_GRAYSCALE)
    figure = Figure(figsize=(6.8, 3.5), dpi=100, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    plain, heated = figure.subplots(1, 2)
    for axes in (plain, heated):
        axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="lanczos")
        axes.set_axis_off()
    heat = heat_on_image(heatmap, image.shape)
    heated.imshow(heat, cmap=heat_colormap(), vmin=0, vmax=1, interpolation="bilinear")
    outline = cv2.GaussianBlur(mask.astype("float32"), (0, 0), 2)
    heated.contour(outline, levels=[127.5], colors="white", linewidths=1.2, linestyles="dashed")
    plain.set_title("synthetic X-ray", fontsize=10)
    heated.set_title(f"Grad-CAM: {heatmap.label}, probability {heatmap.probability:.2f}", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None}, bbox_inches="tight", pad_inches=0.04)


def main():
    """Explain the image and draw it."""
    args = options()
    import medxray

    run = medxray.load_run(args.run)
    (file,) = (args.phantoms / "chest_xray").rglob(f"{args.image}.*")
    mask = cv2.imread(str(args.phantoms / "masks" / f"{args.image}.png"), cv2.IMREAD_GRAYSCALE)
    heatmaps, _ = run.gradcam([str(file)], layer=args.layer)
    draw(heatmaps[0], mask, args.out)
    print(args.out)


if __name__ == "__main__":
    main()
