"""One image of a film: its page, and its frames with the heatmap fading in. No TensorFlow."""

from dataclasses import dataclass

import cv2
import numpy as np

from medxray.film.page import EDGE, SIDE, panel_page
from medxray.film.tally import Tally

_STRONGEST = 0.72  # opacity where the heat is 1
_FADE_FROM, _FADE_TO = 0.2, 0.5  # when the heat begins to show and is there, shares of the time of an image


@dataclass(frozen=True, eq=False)
class Scene:
    """What is shown of one image.

    Attributes:
        number, total: which image of how many.
        name: of its file.
        picture: uint8 (h,w,1 or 3), RGB.
        heat: float32 (h,w), 0-1, over the whole image; h and w may be others.
        method: title of what made the heat.
        target: name of the class that the heat explains.
        classes: names.
        probabilities: float64 (K,), calibrated.
        threshold: on the probability of the last class; None with three or more classes.
        predicted: name of the predicted class.
        true: name of the true class, or None.
        tally: tally.Tally, or None where true classes are unknown.
        refusal: why the run's gate refuses the image; "" where it does not.
    """

    number: int
    total: int
    name: str
    picture: np.ndarray
    heat: np.ndarray
    method: str
    target: str
    classes: tuple
    probabilities: np.ndarray
    threshold: float | None
    predicted: str
    true: str | None = None
    tally: Tally | None = None
    refusal: str = ""


def scene_frames(scene, count):
    """Yield the frames of a scene: uint8 arrays (HEIGHT,WIDTH,3), RGB, `count` of them.

    A frame that does not differ from the one before is the same array.
    """
    frame, place = panel_page(scene), _place(scene.picture)
    plain = _fitted(scene.picture, place)
    colours, opacity = _heat(scene.heat, plain.shape)
    shown = None
    for number in range(count):
        fade = heat_at(number, count)
        if fade != shown:
            frame, shown = frame.copy(), fade
            frame[place] = np.rint(plain + fade * opacity * (colours - plain)).astype(np.uint8)
        yield frame


def heat_at(number, count):
    """How far the heat has faded in at a frame, 0-1; it is there in the last of them."""
    if count == 1:
        return 1.0
    return float(np.clip((number / (count - 1) - _FADE_FROM) / (_FADE_TO - _FADE_FROM), 0.0, 1.0))


def _place(picture):
    """Where an image lies on the page: two slices, in its own aspect ratio, in the middle of the square."""
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    height, width = max(1, round(height * scale)), max(1, round(width * scale))
    top, left = EDGE + (SIDE - height) // 2, EDGE + (SIDE - width) // 2
    return slice(top, top + height), slice(left, left + width)


def _fitted(picture, place):
    """The image as large as its place, float32 (h,w,3)."""
    size = place[1].stop - place[1].start, place[0].stop - place[0].start
    shrinks = size[0] < picture.shape[1]
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    resized = resized.reshape(size[1], size[0], -1)
    return np.repeat(resized, 3, axis=2).astype(np.float32) if resized.shape[2] == 1 else resized.astype(np.float32)


def _heat(heat, shape):
    """(colours, opacity) of a heatmap at a size, float32 (h,w,3) 0-255 and (h,w,1) 0-1."""
    heat = np.clip(cv2.resize(np.asarray(heat, np.float32), (shape[1], shape[0])), 0.0, 1.0)
    # Plasma without its darkest tenth, as in other pictures of heat.
    colours = cv2.applyColorMap(np.rint(25.5 + 229.5 * heat).astype(np.uint8), cv2.COLORMAP_PLASMA)[..., ::-1]
    return colours.astype(np.float32), (_STRONGEST * heat)[..., None]
