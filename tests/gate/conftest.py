"""Pictures with a layout of their own, cheap stand-ins for X-rays."""

import cv2
import numpy as np
import pytest

from medxray.system.backend import load_tensorflow

load_tensorflow()


def chest(rng, side=64):
    """Bright column and base, two dark lungs, a heart on one side: uint8 (side, side), each a little different."""
    canvas = np.full((64, 64), 150.0)

    def jitter(value):
        return int(round(value + rng.normal(0, 1.0)))

    for x in (19, 45):
        cv2.ellipse(canvas, (jitter(x), jitter(28)), (jitter(10), jitter(20)), 0, 0, 360, 50.0, cv2.FILLED)
    cv2.ellipse(canvas, (jitter(38), jitter(40)), (jitter(9), jitter(7)), 0, 0, 360, 190.0, cv2.FILLED)
    canvas[jitter(50) :] = 220.0
    canvas = cv2.GaussianBlur(canvas, (0, 0), 1.5) * rng.uniform(0.8, 1.1) + rng.normal(0, 3, canvas.shape)
    return cv2.resize(np.clip(canvas, 4, 255), (side, side), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def pooled_of(images):
    """Stand-in for pooled features: six smooth functions of the picture, float32 (n, 6)."""
    x = np.asarray(images, np.float32)[..., 0] / 255
    half = x.shape[1] // 2
    quarters = (x[:, :half, :half], x[:, :half, half:], x[:, half:, :half], x[:, half:, half:])
    return np.stack([*(part.mean(axis=(1, 2)) for part in quarters), x.std(axis=(1, 2)), x.max(axis=(1, 2))], axis=1)


@pytest.fixture(scope="session")
def chests():
    """Function (n, seed) -> uint8 array (n,64,64,1)."""
    return lambda n, seed: np.stack([chest(rng) for rng in np.random.default_rng(seed).spawn(n)])[..., None]


@pytest.fixture(scope="session")
def features():
    """The function `pooled_of`."""
    return pooled_of


@pytest.fixture(scope="session")
def views_of():
    """Function images -> their Views, with `pooled_of` as features."""
    from medxray.gate.views import Views, described

    return lambda images: Views(*described([images]), pooled_of(images))


@pytest.fixture(scope="session")
def gate(chests, views_of):
    """A gate fitted on 240 and validated on 200 such pictures."""
    from medxray.gate.fit import fit_gate

    return fit_gate(views_of(chests(240, 1)), views_of(chests(200, 2)))
