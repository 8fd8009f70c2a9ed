"""The canvas of a synthetic phantom: body coordinates, soft edges, lines and noise. numpy and OpenCV only."""

import math
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Pose:
    """How one exposure shows the body.

    Attributes:
        angle: rotation of the picture in degrees.
        shift_x, shift_y: shift in body lengths.
        zoom: magnification.
        turn: rotation of the body about its long axis, as a shift of the midline in body lengths.
        breath: how much deeper than average the patient breathed in, in body lengths of the diaphragm.
    """

    angle: float
    shift_x: float
    shift_y: float
    zoom: float
    turn: float
    breath: float


def draw_pose(rng):
    """Random Pose from a numpy Generator."""
    return Pose(
        angle=float(np.clip(rng.normal(0, 2.5), -7, 7)),
        shift_x=rng.uniform(-0.07, 0.07),
        shift_y=rng.uniform(-0.06, 0.06),
        zoom=rng.uniform(0.92, 1.10),
        turn=float(np.clip(rng.normal(0, 0.02), -0.05, 0.05)),
        breath=rng.uniform(-0.06, 0.06),
    )


class Grid:
    """Body coordinates of each pixel: x from -1 (the patient's right) to 1, y from -1 (top) to 1, before the pose.

    Attributes:
        shape: (height, width) in pixels.
        x, y: float32 arrays (h, w).
        side: |x|.
        pixel: length of one pixel in body coordinates.
    """

    def __init__(self, shape, pose):
        height, width = shape
        scale = max(height, width) / 2.0 * pose.zoom
        cos, sin = math.cos(math.radians(pose.angle)), math.sin(math.radians(pose.angle))
        self._forward = scale * np.array([[cos, sin], [-sin, cos]])
        self._center = np.array([(width - 1) / 2 + pose.shift_x * scale, (height - 1) / 2 + pose.shift_y * scale])
        column = (np.arange(width, dtype=np.float32) - np.float32(self._center[0])) / np.float32(scale)
        row = ((np.arange(height, dtype=np.float32) - np.float32(self._center[1])) / np.float32(scale))[:, None]
        self.shape, self.pixel = shape, 1.0 / scale
        self.x = cos * column + sin * row
        self.y = cos * row - sin * column
        self.side = np.abs(self.x)

    def draw(self, canvas, points, width):
        """Draw a line through body coordinates (n, 2) into a float32 canvas; `width` in body lengths."""
        pixels = points @ self._forward + self._center
        fixed = np.round(pixels * 16).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(canvas, [fixed], False, 1.0, max(round(width / self.pixel), 1), cv2.LINE_AA, 4)

    def blur(self, image, length):
        """Gaussian blur with a standard deviation of `length` in body coordinates."""
        sigma = length / self.pixel
        return cv2.GaussianBlur(image, (0, 0), sigma) if sigma > 0.3 else image

    def noise(self, rng, period):
        """Smooth float32 noise with zero mean and unit variance, fixed to the body.

        Args:
            rng: numpy Generator.
            period: distance of independent values in body lengths.
        """
        count = math.ceil(3.2 / period) + 4
        coarse = rng.standard_normal((count, count), dtype=np.float32)
        column = (self.x + np.float32(1.6)) * np.float32(1 / period)
        row = (self.y + np.float32(1.6)) * np.float32(1 / period)
        return cv2.remap(coarse, column, row, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def edge(distance, softness):
    """0-1 step over a signed distance (positive inside), `softness` wide on each side."""
    step = np.clip(distance * (0.5 / softness) + 0.5, 0, 1)
    return step * step * (3 - 2 * step)


def bump(distance, width):
    """Gaussian bell of a distance field."""
    return np.exp(-((distance * (1 / width)) ** 2))


def smooth_min(first, second, radius):
    """Minimum of two fields with a rounded corner of size `radius`."""
    gap = np.clip(0.5 + (0.5 / radius) * (second - first), 0, 1)
    return second + (first - second) * gap - radius * gap * (1 - gap)
