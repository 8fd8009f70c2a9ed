"""From stored DICOM values to grey levels: modality LUT, VOI LUT, polarity. No TensorFlow.

pydicom's `apply_voi_lut` is not used: it looks up in an index array of the depth of the table's OUTPUT, so a
12-bit picture with a table of 8-bit entries wraps round, and its output range is not 0-255.
"""

from dataclasses import dataclass

import numpy as np

from medxray.data.images.grey_levels import by_percentiles
from medxray.errors import ImageError


@dataclass(frozen=True, eq=False)
class DisplayRule:
    """What a DICOM header says about how its grey picture is shown.

    Attributes:
        bits: bits stored per sample.
        inverted: whether the least value is white.
        padding: (least, greatest) stored value that is padding, or None.
        rescale: (slope, intercept), or None.
        modality: (entries as int64 array, first stored value mapped) of a modality LUT, or None.
        voi: the same of a VOI LUT, or None.
        window: (centre, width, function), or None.
    """

    bits: int
    inverted: bool
    padding: tuple | None
    rescale: tuple | None
    modality: tuple | None
    voi: tuple | None
    window: tuple | None

    def grey_levels(self, stored):
        """Grey levels as a viewer shows them.

        The order is that of the standard: rescale or modality LUT, then VOI LUT or window, then polarity. Padding
        becomes black, whatever the polarity.

        Args:
            stored: integer array (h, w) of stored values.

        Returns:
            float32 array (h, w), 0-255, black is 0. A window maps its edges to 0 and 255 and a VOI LUT the range of
            its entries. Without either, 8-bit values are kept and deeper ones scaled by the percentiles of the
            content, which is the picture without padding, see `grey_levels.by_percentiles`.

        Raises:
            ImageError: the header says what is impossible.

        Source: DICOM PS3.3 (2024), C.11.1, C.11.2, C.7.5.1.1.2 and C.7.6.3.1.2; deviations: a VOI LUT's output is
            scaled by the range of its entries, because the declared depth is often too large; of several windows the
            first counts; padding that would cover the whole picture counts as content.
        """
        padding = self._padding(stored)
        values = self._modality(stored)
        grey = self._voi(values)
        if grey is None:
            grey = _by_content(values, ~padding, keep=self.bits == 8)
        if self.inverted:
            grey = 255.0 - grey
        return np.where(padding, 0.0, grey).astype(np.float32)

    def _padding(self, stored):
        if self.padding is None:
            return np.zeros(stored.shape, bool)
        found = (stored >= self.padding[0]) & (stored <= self.padding[1])
        return found & (not found.all())

    def _modality(self, stored):
        if self.modality is not None:
            return _look_up(stored, *self.modality)
        if self.rescale is None:
            return stored
        slope, intercept = self.rescale
        if slope == 0:
            raise ImageError("the DICOM has an impossible rescale slope of 0")
        return stored.astype(np.float64) * slope + intercept

    def _voi(self, values):
        """Float array 0-255 after the VOI LUT or the window; None when the file has neither."""
        if self.voi is not None:
            table, first = self.voi
            low, high = float(table.min()), float(table.max())
            return (_look_up(values, table, first) - low) * (255.0 / max(high - low, 1.0))
        if self.window is None:
            return None
        center, width, function = self.window
        return 255.0 * _window(values.astype(np.float64), center, width, function=function)


def display_rule(dataset):
    """Read a header.

    PresentationLUTShape INVERSE says the same as MONOCHROME1 (PS3.3 C.8.11.3.1.2 asks for both at once), so a picture
    that has either or both is inverted once.

    Args:
        dataset: pydicom Dataset with the picture's attributes.

    Returns:
        DisplayRule.
    """
    inverse = str(dataset.get("PresentationLUTShape") or "") == "INVERSE"
    return DisplayRule(
        bits=int(dataset.BitsStored),
        inverted=inverse or dataset.PhotometricInterpretation == "MONOCHROME1",
        padding=_padding_range(dataset),
        rescale=_rescale(dataset),
        modality=_table(dataset, "ModalityLUTSequence"),
        voi=_table(dataset, "VOILUTSequence"),
        window=_window_of(dataset),
    )


def displayed(stored, dataset):
    """Grey levels of stored values, integer (h, w), as their header says; see `DisplayRule.grey_levels`."""
    return display_rule(dataset).grey_levels(stored)


def _rescale(dataset):
    slope, intercept = _first(dataset.get("RescaleSlope")), _first(dataset.get("RescaleIntercept"))
    if slope is None and intercept is None:
        return None
    return 1.0 if slope is None else slope, 0.0 if intercept is None else intercept


def _window_of(dataset):
    center, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if center is None or width is None:
        return None
    return center, width, str(dataset.get("VOILUTFunction") or "LINEAR")


def _padding_range(dataset):
    """(least, greatest) stored value that is padding; None without one that a sample can have."""
    value, limit = _first(dataset.get("PixelPaddingValue")), _first(dataset.get("PixelPaddingRangeLimit"))
    if value is None:
        return None
    ends = sorted(_as_sample(int(end), dataset) for end in (value, value if limit is None else limit))
    bits, signed = int(dataset.BitsStored), bool(dataset.get("PixelRepresentation", 0))
    least = -(1 << bits - 1) if signed else 0
    if ends[1] < least or ends[0] >= least + (1 << bits):
        return None
    return tuple(ends)


def _as_sample(value, dataset):
    """A header's number as the samples have it: signed pixels may have their padding written unsigned, or reverse."""
    count = 1 << int(dataset.get("BitsAllocated", 16))
    if dataset.get("PixelRepresentation", 0):
        return value - count if count // 2 <= value < count else value
    return value + count if -count // 2 <= value < 0 else value


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
    if keep and values.min() >= 0 and values.max() <= 255:
        return values.astype(np.float64)
    return by_percentiles(values, content)


def _table(dataset, name):
    """(entries as int64 array, first stored value mapped) of the first item of a LUT sequence; None without one."""
    if not dataset.get(name):
        return None
    item = dataset[name][0]
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
