"""DICOM: header, patient key and pixels. No TensorFlow; no identifier and no header text leaves this file."""

import contextlib
import hashlib
import io
import logging
import struct
import threading
import warnings

import numpy as np
import pydicom
from pydicom.filereader import read_dataset, read_preamble
from pydicom.pixels import apply_color_lut, get_decoder, pixel_array
from pydicom.pixels.utils import get_expected_length
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless, UID_dictionary

from medxray.data.images.dicom_grey import display_rule
from medxray.data.images.grey_levels import by_percentiles
from medxray.data.images.headers import ImageInfo, checked, jpeg_frame
from medxray.errors import ImageError

log = logging.getLogger(__name__)
_PATIENT_PREFIX = "medxray patient:"
_HEADER = [
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "BitsStored",
    "BitsAllocated",
    "NumberOfFrames",
    "PhotometricInterpretation",
]
_PHOTOMETRIC = {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
# What pydicom and its decoders raise on damaged files; its messages can quote header text, so they are not shown.
# A failing disk and a lack of memory are not among them.
_DAMAGE = (
    *(pydicom.errors.InvalidDicomError, pydicom.errors.BytesLengthException, struct.error, EOFError),
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RuntimeError),
)
_UNREAD = "is not supported; convert it to an uncompressed one"
_AGAIN = "; copy or download the file again"
_JPEG, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
_quiet = threading.RLock()


class _Records(logging.Handler):
    """Keeps pydicom's lines from the terminal, and the lack of memory that it logs and then hides."""

    memory = None

    def emit(self, record):
        """Look at one record."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, MemoryError):
            self.memory = error


@contextlib.contextmanager
def _pydicom(doing):
    """Keep pydicom's warnings from the terminal and turn what it raises into an ImageError without header text."""
    logger, records, failure = logging.getLogger("pydicom"), _Records(), None
    with _quiet, warnings.catch_warnings(record=True) as caught:
        before = logger.level, logger.propagate, logger.handlers
        warnings.simplefilter("always")
        logger.setLevel(logging.ERROR)
        logger.propagate, logger.handlers = False, [records]
        try:
            yield
        except _DAMAGE as error:
            failure = error
        finally:
            logger.setLevel(before[0])
            logger.propagate, logger.handlers = before[1:]
    for warning in caught:
        log.debug("pydicom: %s at line %d of %s", warning.category.__name__, warning.lineno, warning.filename)
    if failure is not None and records.memory is not None:
        raise records.memory from None
    if failure is not None:
        log.debug("pydicom: %s while it %s", type(failure).__name__, doing)
        raise ImageError(f"the DICOM is damaged or of an unsupported kind (it failed while medxray {doing})") from None


def _read(file, **options):
    """pydicom.dcmread of an open file, but a deflated dataset is refused before it is inflated."""
    read_preamble(file, False)
    meta = read_dataset(file, False, True, stop_when=lambda tag, *_: tag >> 16 != 2)
    if not meta.get("TransferSyntaxUID"):
        raise ImageError("the DICOM does not say its transfer syntax; save it again as a DICOM file with one")
    if meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian:
        raise ImageError(f"deflated DICOM {_UNREAD}")
    _check_decoded(meta.TransferSyntaxUID)
    file.seek(0)
    return pydicom.dcmread(file, force=False, **options)


def _check_decoded(syntax):
    """Refuse a transfer syntax that no decoder knows; those of the standard are named."""
    with contextlib.suppress(NotImplementedError):
        if get_decoder(syntax).is_available:
            return
    known = syntax in UID_dictionary
    raise ImageError(f"DICOM with {syntax.name if known else 'a private compression'} {_UNREAD}")


def dicom_info(file):
    """ImageInfo of an open DICOM file from its header; raises ImageError where it holds no single picture."""
    with _pydicom("read its header"):
        dataset = _read(file, stop_before_pixels=True, specific_tags=_HEADER)
        if "Rows" not in dataset or "Columns" not in dataset:
            raise ImageError("the DICOM holds no picture")
        frames, channels = int(dataset.get("NumberOfFrames") or 1), int(dataset.get("SamplesPerPixel", 1))
        width, height, bits = int(dataset.Columns), int(dataset.Rows), int(dataset.get("BitsStored", 0))
        allocated, photometric = int(dataset.get("BitsAllocated", 0)), _photometric(dataset)
    if frames != 1:
        raise ImageError(f"the DICOM holds {frames} frames; save the one frame that is meant")
    if photometric not in _PHOTOMETRIC:
        kind = "of an unknown kind" if photometric else "that its header does not name"
        raise ImageError(f"DICOM with colours {kind} (PhotometricInterpretation) {_UNREAD}")
    if channels not in (1, 3) or not 1 <= bits <= allocated <= 32:
        raise ImageError("the DICOM says an impossible pixel format")
    return checked(ImageInfo("DICOM", width, height, bits, 3 if photometric == "PALETTE COLOR" else channels, False))


def _photometric(dataset):
    """What the samples mean, as the standard writes it; "" where the header does not say it."""
    return str(dataset.get("PhotometricInterpretation") or "").strip().upper()


def dicom_patient_key(path):
    """A stand-in for the patient, good for grouping only.

    Args:
        path: DICOM file.

    Returns:
        str, first 16 hexadecimal characters of the SHA-256 of a fixed prefix and the PatientID; None where the file
        has no PatientID. Who has a list of candidate PatientIDs can hash them and compare, so it is a
        pseudonym and not an anonymisation.

    Raises:
        ImageError: the file cannot be read.
    """
    with _pydicom("read its header"), open(path, "rb") as file:
        dataset = _read(file, stop_before_pixels=True, specific_tags=["PatientID"])
        patient = str(dataset.get("PatientID") or "").strip()
    return hashlib.sha256((_PATIENT_PREFIX + patient).encode()).hexdigest()[:16] if patient else None


def dicom_pixels(file):
    """Read the picture as a viewer would show it.

    Args:
        file: open DICOM file, at its start, whose `dicom_info` was accepted.

    Returns:
        float32 array (h, w) for grey or (h, w, 3) for colour, 0-255, black is 0.

    Raises:
        ImageError: the pixel data are missing, damaged, or do not have the size that the header says.
    """
    with _pydicom("read its pixels"):
        dataset = _read(file)
        if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
            raise ImageError(f"DICOM with floating-point pixels {_UNREAD}")
        if "PixelData" not in dataset:
            raise ImageError(f"the DICOM holds no pixel data, or they are cut off{_AGAIN}")
        _check_size(dataset)
        dataset.PhotometricInterpretation = _photometric(dataset)
        # The Rust decoder for run lengths panics on damaged data, which is no Exception; pydicom's own one raises.
        plugin = "pydicom" if dataset.file_meta.TransferSyntaxUID == RLELossless else ""
        stored = _in_low_bits(dataset, plugin)
        if stored.shape[:2] != (int(dataset.Rows), int(dataset.Columns)):
            raise ImageError("the DICOM pixel data do not have the size that its header says")
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            stored = apply_color_lut(stored, dataset)
        rule = display_rule(dataset) if stored.ndim == 2 else None
    if rule is None:
        return stored.astype(np.float32) if stored.dtype.itemsize == 1 else by_percentiles(stored)
    with np.errstate(over="ignore", invalid="ignore"):
        pixels = rule.grey_levels(stored)
    if not np.isfinite(pixels).all():
        raise ImageError("the DICOM has an impossible rescale or window")
    return pixels


def _in_low_bits(dataset, plugin):
    """Stored values; those of old files that keep them in the upper bits are moved down, which pydicom does not do."""
    stored_bits, allocated = int(dataset.BitsStored), int(dataset.BitsAllocated)
    unused = int(dataset.get("HighBit", stored_bits - 1)) + 1 - stored_bits
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated or not 0 < unused <= allocated - stored_bits:
        return pixel_array(dataset, decoding_plugin=plugin)
    dataset.BitsStored = stored_bits + unused
    values = pixel_array(dataset, decoding_plugin=plugin) >> unused
    dataset.BitsStored = stored_bits
    return values


def _check_size(dataset):
    """Refuse pixel data that are shorter than the header says, and a compressed frame of another size or without end.

    The frame is looked at before a decoder allocates what it says. Decoders fill up what is missing of a JPEG.
    """
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        if len(dataset.PixelData) < get_expected_length(dataset):
            raise ImageError(f"the DICOM pixel data are shorter than its header says{_AGAIN}")
        return
    frame = pydicom.encaps.get_frame(dataset.PixelData, 0, number_of_frames=1)
    size = None
    if frame.startswith(_JPEG):
        size = jpeg_frame(io.BytesIO(frame))[2:4]
        if frame.rfind(_JPEG_END) < frame.rfind(_JPEG_SCAN):
            raise ImageError(f"the DICOM pixel data are cut off{_AGAIN}")
    elif (start := frame.find(b"\xff\x4f\xff\x51", 0, 256)) >= 0:  # a JPEG 2000 codestream, bare or in a JP2 box
        width, height, left, top = struct.unpack(">IIII", frame[start + 8 : start + 24])
        size = (height - top, width - left)
    if size is not None and size != (int(dataset.Rows), int(dataset.Columns)):
        raise ImageError("the DICOM pixel data do not have the size that its header says")
