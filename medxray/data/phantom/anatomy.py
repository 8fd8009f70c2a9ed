"""The healthy chest of a synthetic phantom as attenuation. numpy and OpenCV only; lengths as in `phantom_grid`."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from medxray.data.phantom.grid import bump, edge, smooth_min


@dataclass(frozen=True)
class Anatomy:
    """What the pictures of one patient share.

    Attributes:
        lung_width, apex, base, dome: half-width of the lungs, their upper end, lower border and its bulge.
        body, fat: half-width of the trunk beyond the lungs, and thickness of its soft tissue.
        heart, tilt: size of the heart and its axis in radians.
        rib_pitch, rib_phase, rib_drop, rib_width: distance, offset, slope and relative width of the ribs.
        bone, vessel: density of bones and of lung vessels.
        clavicle: slope of the collar bones.
        bubble: size of the stomach's air bubble; none when negative.
        seed: of the vessels' branching.
    """

    lung_width: float
    apex: float
    base: float
    dome: float
    body: float
    fat: float
    heart: float
    tilt: float
    rib_pitch: float
    rib_phase: float
    rib_drop: float
    rib_width: float
    bone: float
    vessel: float
    clavicle: float
    bubble: float
    seed: int


def draw_anatomy(rng):
    """Random Anatomy from a numpy Generator."""
    u = rng.uniform
    return Anatomy(
        lung_width=u(0.54, 0.66),
        apex=u(-0.80, -0.68),
        base=u(0.30, 0.46),
        dome=u(0.12, 0.22),
        body=u(0.26, 0.40),
        fat=u(0.0, 0.22),
        heart=u(0.26, 0.34),
        tilt=u(0.45, 0.95),
        rib_pitch=u(0.135, 0.165),
        rib_phase=u(0, 1),
        rib_drop=u(0.18, 0.42),
        rib_width=u(0.20, 0.27),
        bone=u(0.7, 1.15),
        vessel=u(0.09, 0.20),
        clavicle=u(-0.04, 0.10),
        bubble=u(-0.12, 0.12),
        seed=int(rng.integers(2**31)),
    )


def chest(grid, anatomy, pose):
    """Attenuation of the healthy chest.

    Returns:
        (float32 attenuation (h, w), about 0-1.5; float32 share of air (h, w), 0-1: where an opacity can be seen;
        float32 signed distance (h, w) to the lung border, positive inside).
    """
    lung, diaphragm = _lungs(grid, anatomy, pose)
    heart, below = _heart(grid, anatomy, pose), edge(grid.y - diaphragm, 0.04)
    depth = _body(grid, anatomy)
    air = edge(lung, 0.04) * (1 - 0.85 * heart)
    total = depth * (0.60 + anatomy.fat) + 0.20 * below * depth
    total -= air * (0.36 + 0.10 * edge(lung - 0.05, 0.3)) * np.minimum(depth * 1.3, 1)
    total += 0.12 * heart * (1 - 0.7 * below)
    total += (0.17 * anatomy.bone) * _ribs(grid, anatomy, pose) * (1 - 0.6 * below)
    total += 0.18 * _spine(grid, anatomy)
    total += (0.24 * anatomy.bone) * _drawn_bones(grid, anatomy, pose)
    total += anatomy.vessel * _vessels(grid, anatomy, pose) * air
    total -= 0.13 * edge(0.035 - np.abs(grid.x - 0.6 * pose.turn), 0.03) * edge(-0.26 - grid.y, 0.08)
    if anatomy.bubble > 0:
        span = np.hypot((grid.x - 0.42) * 0.8, grid.y - anatomy.base - pose.breath - 0.10)
        total -= 0.16 * edge(anatomy.bubble - span, 0.05) * below
    return total.astype(np.float32), air, lung


def _lungs(grid, anatomy, pose):
    """Signed distance to the lungs (positive inside) and the diaphragm's y at each pixel."""
    side = np.abs(grid.x - pose.turn)
    base = anatomy.base + pose.breath - np.float32(0.05) * (grid.x < pose.turn)
    down = np.clip((grid.y - anatomy.apex) * (1 / (0.62 - anatomy.apex)), 0, 1)
    rise = 1 - down
    lateral = 0.16 + (anatomy.lung_width + 0.04) * np.sqrt(np.clip(1 - rise * rise * np.sqrt(rise), 0, 1))
    medial = 0.10 + 0.09 * bump(grid.y - anatomy.apex - 0.02, 0.16) + 0.04 * np.clip(grid.y, 0, 1)
    diaphragm = base + 0.05 - anatomy.dome * (1 - ((side - 0.44) * (1 / 0.42)) ** 2)
    inside = smooth_min(lateral - 0.05 * down**3 - side, side - medial, 0.08)
    inside = smooth_min(inside, (diaphragm - grid.y) * 0.9, 0.05)
    return smooth_min(inside, (grid.y - anatomy.apex) * 0.8, 0.12), diaphragm


def _body(grid, anatomy):
    """Thickness of the trunk, shoulders and neck, 0-1."""
    trunk = anatomy.lung_width + anatomy.body - 0.03 * grid.y
    shoulder = trunk + 0.75 * bump(grid.y + 0.62, 0.20)
    neck = 0.49 + 2.6 * np.clip(0.85 + grid.y, 0, None)
    width = np.where(grid.y < -0.60, np.minimum(shoulder, neck), shoulder)
    flank = np.sqrt(np.clip(1 - (grid.side / (trunk + 0.04)) ** 2, 0, 1))
    return np.maximum(flank, 0.42) * edge(width - grid.side, 0.05)


def _heart(grid, anatomy, pose):
    """0-1: heart, great vessels and mediastinum, merged into one silhouette."""
    x, y = grid.x - 1.6 * pose.turn, grid.y
    size = anatomy.heart / 0.30
    cos, sin = math.cos(anatomy.tilt), math.sin(anatomy.tilt)
    cx, cy = x - 0.10, y - (0.17 + 0.6 * pose.breath)
    ventricle = np.hypot((cos * cx + sin * cy) * (1 / (0.37 * size)), (cos * cy - sin * cx) * (1 / (0.27 * size)))
    atrium = np.hypot((x + 0.05) * (1 / (0.17 * size)), (y - 0.13) * (1 / 0.26))
    knob = np.hypot((x - 0.075) * (1 / 0.08), (y + 0.30) * (1 / 0.11))
    trunk = 0.115 + 0.05 * np.clip(y + 0.45, 0, 0.5) - np.abs(x - 0.02)
    lower = smooth_min(0.27 * size * (ventricle - 1), 0.17 * size * (atrium - 1), 0.10)
    return edge(-smooth_min(lower, smooth_min(0.09 * (knob - 1), -trunk, 0.06), 0.09), 0.06)


def _ribs(grid, anatomy, pose):
    """0-2: posterior and anterior ribs, brightest where they turn at the side of the cage."""
    side = np.abs(grid.x - 0.5 * pose.turn)
    rise = np.clip((0.55 - grid.y) * (1 / 1.42), 0, 1)
    cage = 0.12 + (anatomy.lung_width + 0.10) * np.sqrt(np.clip(1 - rise * rise * np.sqrt(rise), 0, 1))
    posterior = grid.y - anatomy.rib_drop * (0.35 * side + 3.2 * np.clip(side - 0.36, 0, None) ** 2)
    anterior = grid.y + (0.50 + anatomy.rib_drop * 0.5) * (side - 0.8) - 0.30 * (side - 0.8) ** 2
    back = _tubes(posterior * (1 / anatomy.rib_pitch) + anatomy.rib_phase, anatomy.rib_width)
    front = _tubes(anterior * (0.9 / anatomy.rib_pitch) + (anatomy.rib_phase + 0.4), anatomy.rib_width * 1.15)
    back *= edge(side - 0.08, 0.06) * edge(grid.y - anatomy.apex + 0.02, 0.08)
    front *= 0.40 * edge(side - 0.34, 0.2) * edge(grid.y + 0.55, 0.25) * edge(0.36 - grid.y, 0.25)
    reach = edge(cage - side, 0.04) * edge(0.62 - grid.y, 0.3) * (1.0 + 0.9 * bump(side - cage + 0.05, 0.07))
    return reach * (back + front)


def _tubes(phase, half_width):
    """Hollow tubes at each whole number of `phase`."""
    offset = np.abs(phase - np.rint(phase)) * (1 / half_width)
    wall = np.sqrt(np.clip(1 - offset * offset, 0, 1))
    return 0.60 * wall + 0.40 * bump(offset - 0.78, 0.25) * edge(1.1 - offset, 0.3)


def _spine(grid, anatomy):
    """0-1: vertebral bodies with discs between them, and the spinous processes."""
    phase = grid.y * (1.02 / anatomy.rib_pitch) + anatomy.rib_phase
    disc = bump(phase - np.floor(phase) - 0.5, 0.13)
    body = edge(0.075 - grid.side, 0.04) * (1 - 0.45 * disc)
    return 0.75 * body + 0.30 * bump(grid.x, 0.022) * (1 - disc) + 0.15 * edge(0.12 - grid.side, 0.06)


def _drawn_bones(grid, anatomy, pose):
    """0-1: collar bones, shoulder blades and upper arms."""
    canvas, thin = np.zeros(grid.shape, np.float32), np.zeros(grid.shape, np.float32)
    t, top = np.linspace(0, 1, 16), anatomy.apex + 0.12
    joint = anatomy.lung_width + anatomy.body
    for sign in (-1, 1):
        rise = 0.10 - (0.20 + anatomy.clavicle) * t + 0.055 * np.sin(2 * np.pi * t)
        grid.draw(canvas, np.stack([sign * (0.08 + (joint - 0.28) * t) + 1.5 * pose.turn, top + rise], 1), 0.045)
        grid.draw(thin, np.stack([sign * (joint - 0.02 - 0.20 * np.sin(t * 2.1)), top + 0.02 + 0.62 * t], 1), 0.022)
        arm = np.stack([sign * (joint + 0.26 * t), top + 0.06 + 0.55 * t], 1)
        grid.draw(canvas, arm[1:], 0.09)
        grid.draw(canvas, arm[:3], 0.16)
    rim = canvas - cv2.erode(canvas, np.ones((3, 3), np.uint8))
    return grid.blur(0.70 * canvas + 0.40 * rim, 0.009) + 0.35 * grid.blur(thin, 0.008)


def _vessels(grid, anatomy, pose):
    """0-1: lung vessels that fan out of the hila and grow thin."""
    rng = np.random.default_rng(anatomy.seed)
    thick, thin = np.zeros(grid.shape, np.float32), np.zeros(grid.shape, np.float32)
    for sign in (-1, 1):
        hilum = np.array([sign * 0.17 + pose.turn, -0.045 + 0.015 * sign])
        for angle in np.linspace(-1.25, 1.35, 11) + rng.normal(0, 0.10, 11):
            line = branch(hilum, angle, sign, reach=rng.uniform(0.28, 0.52), bend=rng.normal(0, 0.3))
            grid.draw(thick, line[:7], 0.020)
            grid.draw(thin, line, 0.009)
            for start in (5, 8):
                fork = angle + rng.choice((-1, 1)) * rng.uniform(0.35, 0.7)
                grid.draw(thin, branch(line[start], fork, sign, reach=0.22, bend=0.2), 0.007)
        grid.draw(thick, hilum + np.array([[0.0, -0.05], [sign * 0.03, 0.02], [sign * 0.02, 0.09]]), 0.07)
    return np.minimum(grid.blur(thick, 0.014) * 0.8 + grid.blur(thin, 0.007) * 0.5, 1)


def branch(start, angle, sign, *, reach, bend):
    """A bent line of 12 points (12, 2) from `start`, outwards to the side `sign`, angles in radians below level."""
    turn = angle + bend * np.linspace(0, 1, 12)
    steps = np.stack([sign * np.cos(turn), np.sin(turn)], 1) * (reach / 12)
    return start + np.cumsum(steps, axis=0)
