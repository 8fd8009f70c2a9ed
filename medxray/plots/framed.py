"""An image in a coloured frame with a title above it."""


def draw_framed(axes, pixels, title, colour, *, width=2, size=9.5):
    """Draw a panel of a figure.

    Args:
        axes: matplotlib Axes.
        pixels: uint8 array (h, w) or (h, w, 3), or None when the file could not be read; then the panel says so.
        title: what stands above it, in the colour of the frame.
        colour: of the frame, as matplotlib takes it.
        width: of the frame, points.
        size: of the title, points.
    """
    axes.set_xticks([])
    axes.set_yticks([])
    if pixels is None:
        axes.text(0.5, 0.5, "file cannot\nbe read", ha="center", va="center", transform=axes.transAxes, fontsize=9)
        axes.set_box_aspect(1)
    else:
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
    for spine in axes.spines.values():
        spine.set(edgecolor=colour, linewidth=width)
    axes.set_title(title, fontsize=size, color=colour, pad=4)
