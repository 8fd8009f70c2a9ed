"""From stored DICOM values to grey levels: modality LUT, VOI LUT, polarity. No TensorFlow.

pydicom's `apply_voi_lut` is not used: it looks up in an index array of the depth of the table's OUTPUT, so a
12-bit picture with a table of 8-bit entries wraps round, and its output range is not 0-255.
"""

import numpy as np

from medxray.errors import ImageError


def displayed(stored, dataset):
    """Grey levels as a viewer shows them.

    The order is that of the standard: rescale or modality LUT, then VOI LUT or window, then polarity.

    Args:
        stored: integer array (h, w) of stored values.
        dataset: pydicom Dataset with the picture's attributes.

    Returns:
        float32 array (h, w), 0-255, black is 0. A window maps its edges to 0 and 255 and a VOI LUT the range of its
        entries. Without either, 8-bit values are kept and deeper ones scaled by the range of the content (without
        the pixel padding value).

    Source: DICOM PS3.3 (2024), C.11.1, C.11.2 and C.7.6.3.1.2; deviations: a VOI LUT's output is scaled by the
        range of its entries, because the declared depth is often too large; of several windows the first counts.
    """
    values = _modality(stored, dataset)
    grey = _voi(values, dataset)
    if grey is None:
        grey = _by_content(values, _is_content(stored, dataset), keep=int(dataset.BitsStored) == 8)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        grey = 255.0 - grey
    return grey.astype(np.float32)


def _modality(stored, dataset):
    if dataset.get("ModalityLUTSequence"):
        table, first = _table(dataset.ModalityLUTSequence[0], dataset)
        return _look_up(stored, table, first)
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    if slope is None or intercept is None:
        return stored
    return stored.astype(np.float64) * float(slope) + float(intercept)


def _voi(values, dataset):
    """Float array 0-255 after the VOI LUT or the window; None when the file has neither."""
    if dataset.get("VOILUTSequence"):
        table, first = _table(dataset.VOILUTSequence[0], dataset)
        low, high = float(table.min()), float(table.max())
        return (_look_up(values, table, first) - low) * (255.0 / max(high - low, 1.0))
    center, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if center is None or width is None:
        return None
    function = str(dataset.get("VOILUTFunction") or "LINEAR")
    return 255.0 * _window(values.astype(np.float64), center, width, function=function)


def _window(values, center, width, *, function):
    """PS3.3 C.11.2.1.2 and C.11.2.1.3: values to 0-1."""
    possible = width >= 1 if function == "LINEAR" else width > 0
    if not possible:
        raise ImageError("the DICOM has an impossible window width")
    if function == "SIGMOID":
        return 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - center) / width, -60.0, 60.0)))
    if function not in ("LINEAR", "LINEAR_EXACT"):
        raise ImageError("the DICOM has an unknown VOI LUT function")
    if function == "LINEAR":
        center, width = center - 0.5, width - 1.0
    ramp = (values - center) / max(width, 1e-12) + 0.5
    return np.where(values <= center - width / 2, 0.0, np.clip(ramp, 0.0, 1.0))


def _by_content(values, content, *, keep):
    inside = values[content] if content.any() else values
    low, high = float(inside.min()), float(inside.max())
    if keep and low >= 0 and high <= 255:
        return values.astype(np.float64)
    return np.clip((values.astype(np.float64) - low) * (255.0 / max(high - low, 1e-12)), 0.0, 255.0)


def _is_content(stored, dataset):
    """Bool (h, w), False where the stored value is padding."""
    padding = dataset.get("PixelPaddingValue")
    if padding is None:
        return np.ones(stored.shape, bool)
    low, high = sorted((int(padding), int(dataset.get("PixelPaddingRangeLimit", padding))))
    return (stored < low) | (stored > high)


def _table(item, dataset):
    """(entries as int64 array, first stored value mapped) of a LUT item."""
    count, first = int(item.LUTDescriptor[0]) or 1 << 16, int(item.LUTDescriptor[1])
    data = item.LUTData
    if isinstance(data, bytes):
        kind = "u1" if len(data) == count else ("<u2" if dataset.original_encoding[1] else ">u2")
        data = np.frombuffer(data, kind)
    table = np.asarray(data, dtype=np.int64)[:count]
    if len(table) < count:
        raise ImageError("the DICOM has a look-up table that is too short")
    return table, first


def _look_up(values, table, first):
    index = np.clip(np.rint(values).astype(np.int64) - first, 0, len(table) - 1)
    return table[index]


def _first(value):
    """The first of one or several decimal strings as float, None for none."""
    if value is None or value == "":
        return None
    several = not isinstance(value, (str, int, float)) and hasattr(value, "__len__")
    return float(value[0] if several else value)
