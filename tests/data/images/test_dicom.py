import errno
import logging
import warnings

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
    generate_uid,
)

from medxray.data.images import dicom, dicom_grey
from medxray.data.images.files import ImageInfo, dicom_patient_key, identify, looks_like_image, read_pixels
from medxray.data.layouts.sources import load_manifest
from medxray.errors import ImageError, ReadError

NAME, PATIENT = "Doe^Jane", "HOSPITAL-4711"


def picture(bits=12, shape=(10, 14)):
    return np.random.default_rng(bits).integers(0, 1 << bits, shape, dtype=np.uint16 if bits > 8 else np.uint8)


@pytest.fixture
def write(tmp_path):
    """Function (pixels, photometric, **attributes) that writes a DICOM file and returns its path."""

    def save(pixels, photometric="MONOCHROME2", *, name="x.dcm", bits=12, patient=PATIENT, **attributes):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1", generate_uid(entropy_srcs=["x"])
        dataset.PatientName = NAME
        if patient is not None:
            dataset.PatientID = patient
        dataset.set_pixel_data(pixels, photometric, bits, generate_instance_uid=False)
        for key, value in attributes.items():
            setattr(dataset, key, value)
        dataset.save_as(tmp_path / name, enforce_file_format=True)
        return tmp_path / name

    return save


def test_header_is_recognised_without_extension(write):
    path = write(picture(), name="radiograph")
    assert identify(path) == ImageInfo("DICOM", 14, 10, 12, 1, False)


def test_monochrome1_is_the_negative_of_monochrome2(write):
    pixels = picture(8)
    positive = read_pixels(write(pixels, bits=8), 1)
    np.testing.assert_array_equal(positive[..., 0], pixels)
    np.testing.assert_array_equal(read_pixels(write(pixels, "MONOCHROME1", bits=8), 1), 255 - positive)


@pytest.mark.parametrize("window", [{}, {"WindowCenter": 1500, "WindowWidth": 900}])
def test_one_picture_stored_with_either_polarity_reads_the_same(write, window):
    pixels = picture()
    expected = read_pixels(write(pixels, **window), 1)
    turned = {"WindowCenter": 4096 - 1500, "WindowWidth": 900} if window else {}
    np.testing.assert_allclose(read_pixels(write(4095 - pixels, "MONOCHROME1", **turned), 1), expected, atol=1e-3)


def test_real_file_and_its_monochrome1_twin_are_negatives(shared_data):
    first = read_pixels(shared_data / "dicom" / "rsna_frontal.dcm", 1)
    twin = read_pixels(shared_data / "dicom" / "rsna_frontal_monochrome1.dcm", 1)
    stored = pydicom.dcmread(shared_data / "dicom" / "rsna_frontal.dcm").pixel_array
    assert first.shape == (1024, 1024, 1)
    np.testing.assert_array_equal(first[..., 0], stored)
    np.testing.assert_array_equal(twin, 255 - first)


def test_colour_is_read(write):
    rgb = np.random.default_rng(0).integers(0, 256, (10, 14, 3), dtype=np.uint8)
    path = write(rgb, "RGB", bits=8)
    np.testing.assert_array_equal(read_pixels(path, 3), rgb)
    np.testing.assert_allclose(read_pixels(path, 1)[..., 0], rgb @ [0.299, 0.587, 0.114], rtol=1e-5)


def test_several_frames_are_refused(write):
    path = write(np.stack([picture(), picture()]))
    with pytest.raises(ImageError, match="holds 2 frames; save the one frame that is meant"):
        identify(path)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"Rows": 65000, "Columns": 65000}, "65000x65000 pixels, more than the limit"),
        ({"Rows": 0}, "14x0 pixels"),
        ({"BitsStored": 60, "BitsAllocated": 64}, "impossible pixel format"),
        ({"PhotometricInterpretation": "HSV"}, r"colours of an unknown kind \(PhotometricInterpretation\) is not"),
        ({"PhotometricInterpretation": ""}, r"colours that its header does not name \(PhotometricInterpretation\)"),
        ({"SamplesPerPixel": 7}, "impossible pixel format"),
    ],
)
def test_absurd_headers_are_refused_before_decoding(write, attributes, reason):
    with pytest.raises(ImageError, match=reason):
        identify(write(picture(), **attributes))


@pytest.mark.parametrize("attributes", [{"Rows": 9000}, {"PixelData": b"\0\0"}, {"WindowCenter": 5, "WindowWidth": 0}])
def test_pixels_that_contradict_the_header_are_an_image_error(write, attributes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = write(picture(), **attributes)
    with pytest.raises(ImageError):
        read_pixels(path, 1)


def test_missing_pixels_and_missing_size_are_told_apart(write, tmp_path):
    dataset = pydicom.dcmread(write(picture()))
    del dataset.PixelData
    dataset.save_as(tmp_path / "a.dcm")
    with pytest.raises(ImageError, match="holds no pixel data"):
        read_pixels(tmp_path / "a.dcm", 1)
    del dataset.Rows
    dataset.save_as(tmp_path / "b.dcm")
    with pytest.raises(ImageError, match="holds no picture"):
        identify(tmp_path / "b.dcm")


def test_a_frame_larger_than_its_header_is_refused_before_decoding(write, tmp_path):
    import cv2

    dataset = pydicom.dcmread(write(picture(8), bits=8))
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PixelData = encapsulate([cv2.imencode(".jpeg", np.zeros((600, 14), np.uint8))[1].tobytes()])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(tmp_path / "x.dcm")
    with pytest.raises(ImageError, match="do not have the size that its header says"):
        read_pixels(tmp_path / "x.dcm", 1)


def test_deflated_dicom_is_refused_before_it_is_inflated(write, tmp_path):
    dataset = pydicom.dcmread(write(picture()))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(tmp_path / "x.dcm")
    with pytest.raises(ImageError, match="deflated DICOM is not supported"):
        identify(tmp_path / "x.dcm")


def test_patient_key_is_a_hash_that_groups_and_says_nothing(write):
    first, again, other = (dicom_patient_key(write(picture(), patient=p)) for p in (PATIENT, PATIENT, "someone"))
    assert first == again != other
    assert len(first) == 16 and int(first, 16) >= 0
    assert dicom_patient_key(write(picture(), patient="")) is None
    assert dicom_patient_key(write(picture(), patient=None)) is None


def test_folders_of_dicom_files_are_grouped_by_patient_without_names(write, tmp_path):
    for folder in ("NORMAL", "SICK"):
        (tmp_path / folder).mkdir()
        for n in range(2):
            write(picture(), name=f"{folder}/{n}.dcm", patient=f"{PATIENT}-{folder}")
    manifest = load_manifest(tmp_path)
    assert manifest.grouped
    assert len(set(manifest.patients())) == 2
    text = manifest.table.to_csv()
    assert PATIENT not in text and NAME not in text


def test_no_header_text_leaks_from_damaged_files(write, tmp_path, caplog, recwarn, capfd):
    content = write(picture()).read_bytes()
    rng, messages = np.random.default_rng(0), []
    with caplog.at_level(logging.DEBUG):
        for _ in range(120):
            broken = bytearray(content)
            for place in rng.integers(132, len(content), 8):
                broken[place] = rng.integers(256)
            (tmp_path / "x.dcm").write_bytes(bytes(broken[: rng.integers(200, len(content) + 1)]))
            for reader in (identify, dicom_patient_key, lambda path: read_pixels(path, 1)):
                try:
                    reader(tmp_path / "x.dcm")
                except ImageError as error:
                    messages.append(str(error))
                    assert error.__cause__ is None and (error.__suppress_context__ or error.__context__ is None)
    assert len(messages) > 50
    out = "".join(messages) + caplog.text + "".join(capfd.readouterr())
    assert "Doe" not in out and "4711" not in out
    assert [str(w.message) for w in recwarn.list] == []


def test_pydicom_warnings_stay_off_the_terminal(write, recwarn, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = write(picture(), PatientBirthDate="not a date", StudyInstanceUID="abc")
    identify(path)
    read_pixels(path, 1)
    assert not recwarn.list
    assert capfd.readouterr().err == ""


def test_damaged_run_lengths_are_an_image_error(write, tmp_path):
    plain = write(picture(shape=(40, 50)), name="plain.dcm")
    dataset = pydicom.dcmread(plain)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(tmp_path / "x.dcm")
    np.testing.assert_array_equal(read_pixels(tmp_path / "x.dcm", 1), read_pixels(plain, 1))
    content, failed = (tmp_path / "x.dcm").read_bytes(), 0
    frame = content.rindex(b"\xfe\xff\x00\xe0", 0, content.rindex(b"\xfe\xff\xdd\xe0")) + 8
    rng = np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(content)
        for place in frame + rng.integers(0, 90, 4):
            broken[place] = rng.integers(256)
        (tmp_path / "x.dcm").write_bytes(bytes(broken))
        try:
            read_pixels(tmp_path / "x.dcm", 1)
        except ImageError:
            failed += 1
    assert failed > 5


def test_a_header_that_ends_early_is_an_image_error_for_every_reader(write, tmp_path):
    content = write(picture()).read_bytes()
    refused = 0
    for length in range(132, 600):
        (tmp_path / "x.dcm").write_bytes(content[:length])
        for reader in (identify, dicom_patient_key):
            try:
                reader(tmp_path / "x.dcm")
            except ImageError:
                refused += 1
    assert refused > 400


def test_padding_of_monochrome1_is_black(write):
    pixels = np.pad(picture(shape=(30, 30)).clip(1), 3)
    padded = read_pixels(write(pixels, "MONOCHROME1", PixelPaddingValue=0), 1)[..., 0]
    assert not padded[pixels == 0].any() and padded[pixels > 0].max() == 255


def test_an_unknown_transfer_syntax_is_named(write, tmp_path):
    dataset = pydicom.dcmread(write(picture()))
    del dataset.file_meta.TransferSyntaxUID
    dataset.save_as(tmp_path / "x.dcm", implicit_vr=False, little_endian=True)
    with pytest.raises(ImageError, match="does not say its transfer syntax; save it again"):
        identify(tmp_path / "x.dcm")


@pytest.mark.parametrize("meta", [True, False])
def test_a_dicom_without_a_preamble_is_named_as_such(write, tmp_path, meta):
    content = write(picture()).read_bytes()[132:]
    if not meta:
        content = content[content.index(b"\x08\0\x16\0") :]
    (tmp_path / "IM0001").write_bytes(content)
    with pytest.raises(ImageError, match="DICOM without its preamble; save it again as a DICOM file"):
        identify(tmp_path / "IM0001")
    assert looks_like_image(tmp_path / "IM0001")


def test_a_big_endian_dicom_without_a_preamble_is_named_as_such(tmp_path):
    (tmp_path / "IM0001").write_bytes(b"\0\x08\0\x05CS\0\x0aISO_IR 100" + bytes(200))
    with pytest.raises(ImageError, match="DICOM without its preamble"):
        identify(tmp_path / "IM0001")
    assert looks_like_image(tmp_path / "IM0001")


@pytest.mark.parametrize("signed", [False, True])
def test_samples_in_the_upper_bits_are_read_as_those_in_the_lower_bits(write, signed):
    pixels = picture(11).astype(np.int16 if signed else np.uint16) - (900 if signed else 0)
    window = {"WindowCenter": 200, "WindowWidth": 700}
    expected = read_pixels(write(pixels, **window), 1)
    upper = write(pixels, **window, PixelData=(pixels << 4 | 5).tobytes(), HighBit=15)
    np.testing.assert_array_equal(read_pixels(upper, 1), expected)


@pytest.mark.parametrize("syntax", ["native", "jpeg"])
def test_memory_that_runs_out_in_a_decoder_is_no_damage(write, tmp_path, monkeypatch, syntax):
    import cv2
    from pydicom.pixels import decoders

    path = write(picture(8), bits=8)
    if syntax == "jpeg":
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        dataset.PixelData = encapsulate([cv2.imencode(".jpeg", picture(8))[1].tobytes()])
        dataset["PixelData"].is_undefined_length = True
        dataset.save_as(path)
        assert read_pixels(path, 1).shape == (10, 14, 1)

    def run_out(*_):
        raise MemoryError

    if syntax == "jpeg":
        plugins = decoders.JPEGBaseline8BitDecoder._available
        monkeypatch.setattr(decoders.JPEGBaseline8BitDecoder, "_available", dict.fromkeys(plugins, run_out))
    else:
        monkeypatch.setattr(dicom, "pixel_array", lambda *_, **__: run_out())
    with pytest.raises(ReadError, match="x.dcm: memory ran out"):
        read_pixels(path, 1)


@pytest.mark.parametrize("reader", [identify, dicom_patient_key, lambda path: read_pixels(path, 1)])
def test_a_failing_disk_is_no_damage(write, monkeypatch, reader):
    path = write(picture())

    def fail(*_, **__):
        raise OSError(errno.EIO, "x")

    monkeypatch.setattr(dicom, "read_dataset", fail)
    with pytest.raises(ReadError, match="x.dcm: it cannot be read now: Input/output error"):
        reader(path)


def test_a_fault_in_the_arithmetic_is_no_damage(write, monkeypatch):
    path = write(picture())
    monkeypatch.setattr(dicom_grey, "by_percentiles", lambda *_: 1 / 0)
    with pytest.raises(ReadError, match="x.dcm: medxray failed while it read this file .ZeroDivisionError"):
        read_pixels(path, 1)
