"""Encoded bytes -> model input, as TensorFlow operations.

Training, prediction and the exported graph all call these functions, so they cannot disagree.
"""

import tensorflow as tf

from medxray.data.images.grey_levels import LUMA, TAIL

# The version of all that lies between a file and the model's input, for native files and for others. To be raised when
# a pixel changes. 1: 16 bits scaled by the least and greatest sample; DICOM padding white in MONOCHROME1; JPEG with
# TensorFlow's default transform; TIFF turned by its orientation tag. 2: as docs/data.md says.
DECODING = 2
_JPEG_RATIOS = (1, 2, 4, 8)


def decode(image_bytes, size, channels):
    """Decode one JPEG, PNG (8 or 16 bit) or BMP inside a TensorFlow graph.

    A JPEG much larger than `size` is decoded at 1/2, 1/4 or 1/8 scale, never below twice the target, which
    the antialiased resize then needs anyway. A 16-bit PNG is scaled by the percentiles of its content, see
    `grey_levels.content_range`. An orientation tag is not applied.

    Args:
        image_bytes: scalar string tensor, the file's content.
        size: (height, width) in pixels that the image will be resized to.
        channels: 1 for grey, 3 for RGB; colour is turned to grey by BT.601 luma, transparency is dropped.

    Returns:
        float32 tensor (h, w, channels), 0-255.

    Raises:
        tf.errors.InvalidArgumentError: the bytes are damaged or of another format.
    """
    is_jpeg = tf.strings.substr(image_bytes, 0, 2) == b"\xff\xd8"
    is_png = tf.strings.substr(image_bytes, 0, 8) == b"\x89PNG\r\n\x1a\n"
    rgb_or_grey = tf.case(
        [(is_jpeg, lambda: _decode_jpeg(image_bytes, size, channels)), (is_png, lambda: _decode_png(image_bytes))],
        default=lambda: _decode_bmp(image_bytes),
        exclusive=True,
    )
    return _to_channels(rgb_or_grey, channels)


def _decode_jpeg(image_bytes, size, channels):
    height, width, components = tf.unstack(tf.io.extract_jpeg_shape(image_bytes))
    spare = tf.minimum(height // (2 * size[0]), width // (2 * size[1]))
    step = tf.cast(spare >= 2, tf.int32) + tf.cast(spare >= 4, tf.int32) + tf.cast(spare >= 8, tf.int32)

    def at(ratio, planes):
        exact = {"ratio": ratio, "dct_method": "INTEGER_ACCURATE"}
        return lambda: tf.cast(tf.io.decode_jpeg(image_bytes, channels=planes, **exact), tf.float32)

    as_wanted = [at(ratio, channels) for ratio in _JPEG_RATIOS]
    from_cmyk = [at(ratio, 3) for ratio in _JPEG_RATIOS]  # libjpeg cannot go from CMYK to grey
    return tf.switch_case(step + len(_JPEG_RATIOS) * tf.cast(components == 4, tf.int32), as_wanted + from_cmyk)


def _decode_png(image_bytes):
    bits = tf.io.decode_raw(tf.strings.substr(image_bytes, 24, 1), tf.uint8)[0]

    def deep():
        return _by_percentiles(tf.io.decode_png(image_bytes, channels=3, dtype=tf.uint16))

    return tf.cond(bits == 16, deep, lambda: tf.cast(tf.io.decode_png(image_bytes, channels=3), tf.float32))


def _by_percentiles(pixels):
    """`grey_levels.by_percentiles` of a uint16 tensor."""
    samples = tf.cast(tf.reshape(pixels, [-1]), tf.int32)
    up_to = tf.cumsum(tf.math.bincount(samples, minlength=1 << 16))
    rank = tf.size(samples) // TAIL
    low, high = tf.unstack(tf.searchsorted(up_to, tf.stack([rank, tf.size(samples) - 1 - rank]), side="right"))
    flat = tf.equal(low, high)
    low, high = tf.where(flat, tf.reduce_min(samples), low), tf.where(flat, tf.reduce_max(samples), high)
    low, high = tf.cast(low, tf.float32), tf.cast(high, tf.float32)
    scaled = (tf.cast(pixels, tf.float32) - low) * (255.0 / tf.maximum(high - low, 1.0))
    return tf.clip_by_value(scaled, 0.0, 255.0)


def _decode_bmp(image_bytes):
    return tf.cast(tf.io.decode_bmp(image_bytes), tf.float32)


def _to_channels(pixels, channels):
    """(h, w, 1, 3 or 4) -> (h, w, channels); the number of channels may be known only at run time."""
    pixels = tf.ensure_shape(pixels, (None, None, None))
    present = tf.shape(pixels)[-1]
    rgb = tf.cond(present == 1, lambda: tf.repeat(pixels, 3, axis=-1), lambda: pixels[..., :3])
    rgb = tf.ensure_shape(rgb, (None, None, 3))
    if channels == 3:
        return rgb
    luma = tf.tensordot(rgb, tf.constant(LUMA), 1)[..., None]
    return tf.cond(present == 1, lambda: pixels, lambda: luma)


def resize(pixels, size, mode):
    """Bring pixels to the model's input size: the one resize of the project.

    Args:
        pixels: float32 tensor (h, w, c), 0-255.
        size: (height, width) in pixels.
        mode: "letterbox" keeps the aspect ratio and pads with black, centred; "stretch" does not keep it.

    Returns:
        uint8 tensor (height, width, c): bilinear with antialiasing, rounded.
    """
    channels = pixels.shape[-1]
    top, left, height, width = box_of(tf.shape(pixels)[:2], size, mode)
    pixels = tf.image.pad_to_bounding_box(resample(pixels, (height, width)), top, left, *size)
    return tf.ensure_shape(pixels, (*size, channels))


def resample(pixels, size):
    """Pixels, float32 (h,w,c), 0-255, at another size (height, width): uint8, bilinear with antialiasing, rounded."""
    pixels = tf.image.resize(pixels, size, method="bilinear", antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(pixels), 0.0, 255.0), tf.uint8)


def box_of(shape, size, mode):
    """Where the image lies inside the input: `letterbox_box`, or all of it where it is stretched."""
    return letterbox_box(shape, size) if mode == "letterbox" else (0, 0, *size)


def letterbox_box(shape, size):
    """Where the image lies inside the letterboxed input.

    Args:
        shape: int32 tensor (2,), height and width of the image.
        size: (height, width) of the input.

    Returns:
        int32 scalars (top, left, height, width) in input pixels.
    """
    shape = tf.cast(shape, tf.float64)
    scale = tf.reduce_min(tf.constant(size, tf.float64) / shape)
    height, width = tf.unstack(tf.maximum(tf.cast(tf.round(shape * scale), tf.int32), 1))
    height, width = tf.minimum(height, size[0]), tf.minimum(width, size[1])
    return (size[0] - height) // 2, (size[1] - width) // 2, height, width
