"""Augmentation policies: parameters drawn per sample on the host, applied by one batched Keras layer.

The draw depends only on (seed, view, sample), so a rerun, a resumed run and another batch order see the same images.
"""

from dataclasses import asdict, dataclass, fields

import keras
import numpy as np
import tensorflow as tf

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
_DRAWN = ("angle", "dx", "dy", "scale_x", "scale_y", "brightness", "contrast", "gamma", "noise", "noise_seed")
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
        seed: seed of the run.
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
        transforms = _transforms(tf.shape(images), columns)
        inside = _inside(tf.shape(images), transforms, columns)
        return _change_intensity(_transform(tf.cast(images, tf.float32), transforms), inside, columns)

    def compute_output_shape(self, images_shape, parameters_shape):
        """The shape of the images."""
        return images_shape


def _transforms(shape, columns):
    """Rotate, scale and shift about the centre: (n,8), the inverse map in the order that the operation wants."""
    height, width = tf.cast(shape[1], tf.float32), tf.cast(shape[2], tf.float32)
    cosine, sine = tf.cos(columns["angle"]), tf.sin(columns["angle"])
    a0, a1 = cosine / columns["scale_x"], sine / columns["scale_x"]
    b0, b1 = -sine / columns["scale_y"], cosine / columns["scale_y"]
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    shift_x, shift_y = centre_x + columns["dx"] * width, centre_y + columns["dy"] * height
    a2 = centre_x - a0 * shift_x - a1 * shift_y
    b2 = centre_y - b0 * shift_x - b1 * shift_y
    nothing = tf.zeros_like(a0)
    return tf.stack([a0, a1, a2, b0, b1, b2, nothing, nothing], axis=1)


def _transform(images, transforms):
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )


def _inside(shape, transforms, columns):
    """Float (n,H,W,1): 1 where a pixel lies between the bars and has a part that comes from between them, else 0."""
    height, width = tf.cast(shape[1], tf.float32), tf.cast(shape[2], tf.float32)
    left, right = columns["left"][:, None, None], (width - 1 - columns["right"])[:, None, None]
    top, bottom = columns["above"][:, None, None], (height - 1 - columns["below"])[:, None, None]

    def between(x, y):
        """Whether a bilinear sample at x, y touches a pixel of the image."""
        return (x > left - 1) & (x < right + 1) & (y > top - 1) & (y < bottom + 1)

    x, y = tf.range(width)[None, None, :], tf.range(height)[None, :, None]
    a0, a1, a2, b0, b1, b2 = (part[:, None, None] for part in tf.unstack(transforms, axis=1)[:6])
    return tf.cast(between(x, y) & between(a0 * x + a1 * y + a2, b0 * x + b1 * y + b2), tf.float32)[..., None]


def _change_intensity(images, inside, columns):
    def each(name):
        return columns[name][:, None, None, None]

    area = tf.maximum(tf.reduce_sum(inside, axis=(1, 2, 3), keepdims=True), 1.0)
    mean = tf.reduce_sum(tf.reduce_mean(images, axis=3, keepdims=True) * inside, axis=(1, 2, 3), keepdims=True) / area
    images = (images - mean) * each("contrast") + mean + 255.0 * each("brightness")
    images = 255.0 * tf.pow(tf.clip_by_value(images / 255.0, 0.0, 1.0), each("gamma"))
    noisy = images + 255.0 * each("noise") * _noise(images, columns["noise_seed"])
    return inside * tf.clip_by_value(noisy, 0.0, 255.0)


def _noise(images, seeds):
    shape = tf.shape(images)[1:3]

    def one(seed):
        return tf.random.stateless_normal(tf.concat([shape, [1]], 0), tf.stack([tf.cast(seed, tf.int32), 0]))

    return tf.map_fn(one, seeds, fn_output_signature=tf.float32)
