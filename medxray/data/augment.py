"""Augmentation policies: parameters drawn per sample on the host, applied by one batched Keras layer.

The draw depends only on (seed, view, sample), so a rerun, a resumed run and another batch order see the same images.
"""

from dataclasses import asdict, dataclass, fields

import keras
import numpy as np
import tensorflow as tf

from medxray.data.affine import inside, inverse_maps, warp
from medxray.data.intensity import change_contrast, change_gamma, normal_noise
from medxray.errors import ConfigError


@dataclass(frozen=True)
class Policy:
    """Ranges from which one view of an image is drawn uniformly.

    Attributes:
        rotation: degrees, to either side.
        translation: share of height and width, in any direction.
        zoom: share by which height and width are scaled up or down together.
        stretch: further share by which height and width differ, so that the aspect ratio is no cue.
        axes: share by which height and width are scaled up or down, each apart.
        flip: whether half of the images are mirrored left to right.
        brightness: share of the full range that is added or taken away.
        contrast: share by which contrast about the image's mean is raised or lowered.
        gamma: exponents between 1/(1+gamma) and 1+gamma.
        noise: largest standard deviation of Gaussian noise, as a share of the full range.
    """

    rotation: float = 0.0
    translation: float = 0.0
    zoom: float = 0.0
    stretch: float = 0.0
    axes: float = 0.0
    flip: bool = False
    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0
    noise: float = 0.0


POLICIES = {
    "none": Policy(),
    "light": Policy(rotation=5, translation=0.03, zoom=0.05, brightness=0.05, contrast=0.1),
    "standard": Policy(
        rotation=10,
        translation=0.06,
        zoom=0.12,
        stretch=0.06,
        brightness=0.1,
        contrast=0.25,
        gamma=0.25,
        noise=0.015,
    ),
    "strong": Policy(
        rotation=20,
        translation=0.1,
        zoom=0.2,
        stretch=0.12,
        flip=True,
        brightness=0.2,
        contrast=0.4,
        gamma=0.5,
        noise=0.04,
    ),
    "robust": Policy(
        translation=0.12,
        axes=0.35,
        brightness=0.25,
        contrast=0.5,
        gamma=1.0,
    ),
}
_BARS = ("above", "below", "left", "right")
FRAMING = ("angle", "dx", "dy", "scale_x", "scale_y")
_DRAWN = (*FRAMING, "brightness", "contrast", "gamma", "noise", "noise_seed")
_COLUMNS = _DRAWN + _BARS
PARAMETERS = len(_COLUMNS)


def policy(name):
    """Look a policy up; None, of a run that has no augmentation, is "none". Raises ConfigError for an unknown name."""
    if name is None:
        return POLICIES["none"]
    if name not in POLICIES:
        raise ConfigError(f"--augment must be one of {', '.join(POLICIES)}. Received '{name}'.")
    return POLICIES[name]


def policy_text(chosen):
    """Canonical text of a policy, for cache keys and run records."""
    return ",".join(f"{field.name}={asdict(chosen)[field.name]}" for field in fields(chosen))


def draw_parameters(chosen, samples, *, seed, view, bars=None):
    """Draw the parameters of one view for some samples.

    Args:
        chosen: Policy.
        samples: int array (n,), stable numbers of the samples.
        seed: seed of the augmentation.
        view: number of the view (with a cache) or of the epoch (on-line).
        bars: int array (n,4), width in pixels of the black bars above, below, left and right of each image; None: the
            images have none.

    Returns:
        float32 array (n, PARAMETERS): angle in radians, dx and dy as shares, scales (negative x: mirrored),
        additive brightness 0-1, contrast factor, gamma, noise deviation 0-1, seed of the noise, and the bars.
    """
    rows = [_draw(chosen, np.random.default_rng([seed, view, int(sample)])) for sample in samples]
    drawn = np.asarray(rows, np.float32).reshape(len(rows), len(_DRAWN))
    return np.hstack([drawn, np.zeros((len(rows), len(_BARS)), np.float32) if bars is None else np.float32(bars)])


def named_parameters(parameters):
    """The columns of `draw_parameters`, (n, PARAMETERS), by their names: dict of (n,); FRAMING are for `affine`."""
    return dict(zip(_COLUMNS, np.transpose(parameters), strict=True))


def _draw(chosen, rng):
    sides = rng.uniform(-1, 1, size=8)
    zoom = (1 + chosen.zoom) ** sides[3]
    stretch = (1 + chosen.stretch) ** (sides[4] / 2)
    mirror = -1.0 if chosen.flip and rng.random() < 0.5 else 1.0
    return (
        np.deg2rad(chosen.rotation) * sides[0],
        chosen.translation * sides[1],
        chosen.translation * sides[2],
        mirror * zoom * stretch * (1 + chosen.axes) ** sides[3],
        zoom / stretch * (1 + chosen.axes) ** sides[4],
        chosen.brightness * sides[5],
        (1 + chosen.contrast) ** sides[6],
        (1 + chosen.gamma) ** sides[7],
        chosen.noise * rng.random(),
        rng.integers(1 << 24),
    )


class Augment(keras.layers.Layer):
    """Applies drawn parameters to a batch: one fused affine transform, then intensity changes.

    Inputs: images (N,H,W,C), 0-255, and parameters (N, PARAMETERS) of `draw_parameters`.
    Output: float32 (N,H,W,C), 0-255. The bars of a letterboxed image stay black and stay where they are, and what comes
    from outside the image is black: the image is changed as if it had been augmented before it was letterboxed. The
    mean about which contrast changes is that of the image alone. The layer holds no state.
    """

    supports_jit = False  # XLA has no kernel for ImageProjectiveTransformV3

    def __init__(self, **options):
        super().__init__(dtype="float32", **options)

    def call(self, images, parameters, training=False):
        """Augment in training; return the images as they are otherwise."""
        if not training:
            return images
        columns = dict(zip(_COLUMNS, tf.unstack(parameters, axis=1), strict=True))
        shape, bars = tf.shape(images), tf.stack([columns[name] for name in _BARS], axis=1)
        maps = inverse_maps(shape, **{name: columns[name] for name in FRAMING})
        framed = warp(tf.cast(images, tf.float32), maps)
        return _change_intensity(framed, inside(shape, bars, maps), columns)

    def compute_output_shape(self, images_shape, parameters_shape):
        """The shape of the images."""
        return images_shape


def _change_intensity(images, within, columns):
    """Change contrast, brightness and gamma, and add noise.

    Args:
        images: float32 tensor (N,H,W,C), 0-255.
        within: float32 tensor (N,H,W,1), 1 inside the image and 0 in its bars.
        columns: dict name -> float32 tensor (N,), the columns of `draw_parameters`: `contrast` and `gamma` factors and
            exponents about 1, `brightness` and `noise` shares of the range of grey levels, `noise_seed` a whole number.

    Returns:
        float32 tensor (N,H,W,C), 0-255; 0 in the bars.
    """

    def each(name):
        return columns[name][:, None, None, None]

    images = change_contrast(images, each("contrast"), within) + 255.0 * each("brightness")
    seeds = tf.cast(columns["noise_seed"], tf.int32)
    noise = normal_noise(tf.shape(images), tf.stack([seeds, tf.zeros_like(seeds)], axis=1))
    noisy = change_gamma(images, each("gamma")) + 255.0 * each("noise") * noise
    return within * tf.clip_by_value(noisy, 0.0, 255.0)
