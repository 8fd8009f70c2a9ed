#!/usr/bin/env python
"""Draws the picture of the shifted views: a phantom under every family, at the severities 1, 2 and 3.

python scripts/shift_examples.py --out docs/images/shifts.png
"""

import argparse
import io
from pathlib import Path

COLUMNS, SHADES = 2, 24


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=160, metavar="PX", help="Height and width of the views.")
    parser.add_argument("--seed", type=int, default=5, metavar="N", help="Of the phantom.")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.png")
    return parser.parse_args()


def phantom(size, seed):
    """A phantom with an opacity as a model sees it: uint8 (1,size,size,1) and its bars (1,4)."""
    import numpy as np

    from medxray.data.images.decode import letterbox_box, resize
    from medxray.data.phantom.draw import render_phantom

    image, _ = render_phantom("bacterial", size=4 * size, patient_seed=seed, image_seed=seed)
    top, left, height, width = (int(part) for part in letterbox_box(image.shape, (size, size)))
    bars = np.array([[top, size - top - height, left, size - left - width]])
    return resize(np.float32(image)[..., None], (size, size), "letterbox").numpy()[None], bars


def draw(images, bars):
    """The figure: families in rows, in two blocks, and severities in columns."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from medxray.data.shifts.families import FAMILIES, SEVERITIES
    from medxray.data.shifts.views import Shiftable

    batch = Shiftable(images, [1], bars=bars)
    height = -(-len(FAMILIES) // COLUMNS)
    figure = Figure(figsize=(5.6, 0.84 * height + 0.2), dpi=100, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.02, hspace=0.02)
    grid = figure.subplots(height, COLUMNS * len(SEVERITIES), squeeze=False)
    for number, row in enumerate(FAMILIES.values()):
        block, line = divmod(number, height)
        places = grid[line, block * len(SEVERITIES) : (block + 1) * len(SEVERITIES)]
        for axes, severity in zip(places, SEVERITIES, strict=True):
            shown = batch.view(row.name, severity)[0, ..., 0].numpy()
            axes.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
            axes.set_xlabel(f"{row.value(severity):.3g}", fontsize=7, labelpad=1)
        places[0].set_ylabel(f"{row.name}\n({row.group})", fontsize=7)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.set_frame_on(False)
    return figure


def main():
    """Draw the views and write them with few shades of grey, which keeps the file small."""
    args = options()
    from PIL import Image

    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    figure, content = draw(*phantom(args.size, args.seed)), io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    args.out.parent.mkdir(parents=True, exist_ok=True)
    Image.open(content).convert("L").quantize(SHADES).save(args.out, optimize=True)
    print(args.out)


if __name__ == "__main__":
    main()
