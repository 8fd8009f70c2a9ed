#!/usr/bin/env python
"""Draws the picture of the README: a phantom with an opacity, and the same image under its heatmap.

The image is the test phantom, among those that the run calls positive, whose heat lies best on the drawn opacity: the
largest difference between the mean heat inside and outside it. The outline is that opacity.

    python scripts/readme_picture.py demo/runs/demo demo/phantoms --out docs/images/heatmap.png
"""

import argparse
from pathlib import Path

import cv2


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN", help="A run trained on the phantoms.")
    parser.add_argument("phantoms", type=Path, metavar="DIR", help="What `medxray data phantom` wrote.")
    parser.add_argument("--layer", help="Layer of the heatmap.  [default: that of the architecture]")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.png")
    return parser.parse_args()


def sick_test_images(run, phantoms):
    """Image files of the test split that have an opacity, and their masks bool (h,w), as two lists."""
    import pandas

    split = pandas.read_csv(run.directory.split_file)
    rows = split[(split["split"] == "test") & (split["label"] == run.positive)]
    files = [phantoms / "chest_xray" / "train" / run.positive / Path(path).name for path in rows["path"]]
    masks = [cv2.imread(str(phantoms / "masks" / f"{file.stem}.png"), cv2.IMREAD_GRAYSCALE) > 0 for file in files]
    return files, masks


def heat_on_image(heatmap, shape):
    """The heat of a `Heatmap`, float32 0-1, at the shape (h,w) of the image in its file."""
    top, left, height, width = heatmap.box
    inside = heatmap.heatmap[top : top + height, left : left + width]
    return cv2.resize(inside, shape[::-1], interpolation=cv2.INTER_LINEAR)


def contrast(heat, mask):
    """Mean heat inside a mask minus that outside, -1 to 1."""
    return float(heat[mask].mean() - heat[~mask].mean())


def best(heatmaps, masks, positive):
    """(Heatmap, heat at the shape of the image, mask) of the image that the heat fits best."""
    found = [(one, heat_on_image(one, mask.shape), mask) for one, mask in zip(heatmaps, masks, strict=True)]
    right = [each for each in found if each[0].label == positive] or found
    return max(right, key=lambda each: contrast(each[1], each[2]))


def draw(heatmap, heat, mask, path):
    """Write the pair of pictures."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from medxray.explain.overlay import heat_colormap

    image = cv2.imread(str(heatmap.file), cv2.IMREAD_GRAYSCALE)
    height, width = image.shape
    figure = Figure(figsize=(7.2, 3.6 * height / width + 0.45), dpi=110, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    plain, heated = figure.subplots(1, 2)
    for axes in (plain, heated):
        axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="lanczos")
        axes.set_axis_off()
    heated.imshow(heat, cmap=heat_colormap(), vmin=0, vmax=1, interpolation="bilinear")
    heated.contour(mask.astype(float), levels=[0.5], colors="white", linewidths=1.1, linestyles="dashed")
    plain.set_title("synthetic X-ray", fontsize=10)
    text = f"Grad-CAM; {heatmap.label}, calibrated probability {heatmap.probability:.2f}"
    heated.set_title(text, fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})


def main():
    """Choose the image and draw it."""
    args = options()
    import medxray

    run = medxray.load_run(args.run)
    files, masks = sick_test_images(run, args.phantoms)
    heatmaps, _ = run.gradcam([str(file) for file in files], layer=args.layer)
    by_name = {file.name: mask for file, mask in zip(files, masks, strict=True)}
    heatmap, heat, mask = best(heatmaps, [by_name[one.file.name] for one in heatmaps], run.positive)
    draw(heatmap, heat, mask, args.out)
    print(f"{args.out}: {heatmap.file.name}, mean heat in the opacity minus outside {contrast(heat, mask):.2f}")


if __name__ == "__main__":
    main()
