"""DICOM files that are cut off or of a kind that is not read are told as what they are."""

import io

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from medxray.data.images.files import identify, read_pixels
from medxray.errors import ImageError

PIXELS = np.random.default_rng(0).integers(0, 256, (32, 24), dtype=np.uint8)


@pytest.fixture
def write(tmp_path):
    """Function (change) that writes PIXELS as a DICOM file after `change(dataset)` and returns its path."""

    def save(change=None):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1", "1.2.3"
        dataset.set_pixel_data(PIXELS, "MONOCHROME2", 8, generate_instance_uid=False)
        if change is not None:
            change(dataset)
        dataset.save_as(tmp_path / "x.dcm", implicit_vr=False, little_endian=True, enforce_file_format=True)
        return tmp_path / "x.dcm"

    return save


def encapsulated(frame, syntax=JPEGBaseline8Bit):
    def change(dataset):
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = syntax

    return change


def jpeg(*flags):
    return cv2.imencode(".jpg", PIXELS, flags)[1].tobytes()


@pytest.mark.parametrize("missing", [1, 100, 700])
def test_a_file_that_ends_inside_its_pixels_is_told_to_be_cut_off(write, missing):
    path = write()
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(ImageError, match="pixel data are shorter than its header says; copy or download"):
        read_pixels(path, 1)


@pytest.mark.parametrize(("rows", "columns"), [(64, 24), (20_000, 4_999)])
def test_a_header_that_says_more_pixels_than_there_are_is_refused(write, rows, columns):
    def change(dataset):
        dataset.Rows, dataset.Columns = rows, columns

    with pytest.raises(ImageError, match="pixel data are shorter than its header says"):
        read_pixels(write(change), 1)


@pytest.mark.parametrize("flags", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 1)])
@pytest.mark.parametrize("kept", [0.5, 0.95])
def test_a_jpeg_frame_without_its_end_is_not_filled_up(write, flags, kept):
    whole = jpeg(*flags)
    with pytest.raises(ImageError, match="pixel data are cut off; copy or download the file again"):
        read_pixels(write(encapsulated(whole[: int(len(whole) * kept)])), 1)


@pytest.mark.parametrize("tail", [b"", b"\0", b"\0" * 200, b"\xff\xff"])
def test_a_jpeg_frame_with_padding_behind_its_end_is_whole(write, tail):
    found = read_pixels(write(encapsulated(jpeg() + tail)), 1)[..., 0]
    plain = cv2.imdecode(np.frombuffer(jpeg(), np.uint8), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_allclose(found, plain, atol=2)  # another decoder


def test_compressed_pixels_that_are_not_there_are_told(write):
    path = write()
    dataset = pydicom.dcmread(io.BytesIO(path.read_bytes()))
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ImageError, match="holds no pixel data, or they are cut off"):
        read_pixels(path, 1)


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        ("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level"),
        ("1.2.840.10008.1.2.4.52", r"JPEG Extended \(Process 3 and 5\)"),
        ("1.2.3.4.5", "a private compression"),
    ],
)
def test_a_compression_that_is_not_read_is_named_from_the_header_alone(write, syntax, name):
    path = write(encapsulated(jpeg(), pydicom.uid.UID(syntax)))
    with pytest.raises(ImageError, match=f"DICOM with {name} is not supported; convert it to an uncompressed one"):
        identify(path)


def test_floating_point_pixels_are_named(write):
    def change(dataset):
        del dataset.PixelData
        dataset.FloatPixelData = PIXELS.astype(np.float32).tobytes()

    with pytest.raises(ImageError, match="DICOM with floating-point pixels is not supported"):
        read_pixels(write(change), 1)


@pytest.mark.parametrize("photometric", ["monochrome1", "MONOCHROME1 ", " Monochrome1"])
def test_the_spelling_of_the_polarity_does_not_matter(write, photometric):
    def change(dataset):
        dataset.PhotometricInterpretation = photometric

    np.testing.assert_array_equal(read_pixels(write(change), 1)[..., 0], 255 - PIXELS.astype(np.float32))
