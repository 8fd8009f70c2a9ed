import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence

from medxray.data.images.dicom_grey import display_rule
from medxray.errors import ImageError

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def displayed(stored, dataset):
    return display_rule(dataset).grey_levels(stored)


def header(photometric="MONOCHROME2", *, bits=12, **attributes):
    dataset = Dataset()
    dataset.PhotometricInterpretation, dataset.BitsStored, dataset.PixelRepresentation = photometric, bits, 0
    dataset.set_original_encoding(False, True)
    for key, value in attributes.items():
        setattr(dataset, key, value)
    return dataset


def table(entries, *, first=0, depth=8, data=None):
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries) % 65536, first, depth])
    item.add_new("LUTData", "US", [int(entry) for entry in entries]) if data is None else item.add_new(
        "LUTData", "OW", data
    )
    return Sequence([item])


def test_window_by_hand():
    values = np.array([[0, 100, 150, 200, 300]], np.uint16)
    grey = displayed(values, header(WindowCenter=150.5, WindowWidth=101))
    np.testing.assert_allclose(grey, [[0, 0, 127.5, 255, 255]])


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("width", [1, 2, 300, 4095])
def test_window_agrees_with_pydicom(function, width):
    dataset = header(WindowCenter=1800, WindowWidth=width, VOILUTFunction=function)
    with np.errstate(over="ignore"):
        expected = apply_voi_lut(RAMP, dataset) * (255 / 4095)
    np.testing.assert_allclose(displayed(RAMP, dataset), expected, atol=0.01)


def test_rescale_comes_before_the_window():
    dataset = header(RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=1000, WindowWidth=500)
    rescaled = apply_modality_lut(RAMP, dataset)
    expected = np.clip((rescaled - 999.5) / 499 + 0.5, 0, 1) * 255
    np.testing.assert_allclose(displayed(RAMP, dataset), expected, atol=0.01)


def test_negative_slope_turns_the_picture():
    grey = displayed(RAMP, header(RescaleSlope=-1, RescaleIntercept=4095))
    np.testing.assert_allclose(grey, (4095.0 - RAMP) * (255 / 4095), atol=1e-3)


def test_the_first_of_several_windows_counts():
    several = header(WindowCenter=[1000, 9], WindowWidth=[400, 9])
    np.testing.assert_array_equal(displayed(RAMP, several), displayed(RAMP, header(WindowCenter=1000, WindowWidth=400)))


def test_voi_table_of_8_bit_entries_works_for_12_bit_pixels():
    entries = np.minimum(np.arange(4096) // 8, 255)
    grey = displayed(RAMP, header(VOILUTSequence=table(entries)))
    np.testing.assert_allclose(grey, entries.reshape(64, 64))


def test_voi_table_wins_over_the_window_and_starts_at_its_first_value():
    dataset = header(VOILUTSequence=table([0, 10, 20], first=2000, depth=16), WindowCenter=9, WindowWidth=9)
    grey = displayed(np.array([[0, 2000, 2001, 2002, 4000]], np.uint16), dataset)
    np.testing.assert_allclose(grey, [[0, 0, 127.5, 255, 255]])


@pytest.mark.parametrize("kind", ["<u2", "u1"])
def test_tables_stored_as_bytes_are_read(kind):
    entries = np.array([0, 50, 100, 200], kind)
    dataset = header(VOILUTSequence=table(entries, data=entries.tobytes()))
    np.testing.assert_allclose(displayed(np.array([[0, 1, 2, 3]], np.uint16), dataset), [[0, 63.75, 127.5, 255]])


def test_modality_table_is_applied_first():
    dataset = header(ModalityLUTSequence=table([500, 400, 300], depth=16), WindowCenter=400.5, WindowWidth=101)
    np.testing.assert_allclose(displayed(np.array([[0, 1, 2]], np.uint16), dataset), [[255, 127.5, 0]])


def test_inversion_comes_last():
    window = {"WindowCenter": 1000, "WindowWidth": 400}
    np.testing.assert_allclose(
        displayed(RAMP, header("MONOCHROME1", **window)), 255 - displayed(RAMP, header(**window)), atol=1e-4
    )


def test_without_a_window_8_bits_are_kept_and_12_bits_scaled_by_content():
    eight = np.array([[10, 200]], np.uint8)
    np.testing.assert_array_equal(displayed(eight, header(bits=8)), eight)
    np.testing.assert_allclose(displayed(np.array([[100, 600, 1100]], np.uint16), header()), [[0, 127.5, 255]])


def test_padding_does_not_count_as_content():
    values = np.array([[0, 1000, 1500, 2000]], np.uint16)
    np.testing.assert_allclose(displayed(values, header(PixelPaddingValue=0)), [[0, 0, 127.5, 255]])
    ranged = header(PixelPaddingValue=0, PixelPaddingRangeLimit=1000)
    np.testing.assert_allclose(displayed(values, ranged), [[0, 0, 0, 255]])
    everything = np.zeros((2, 2), np.uint16)
    np.testing.assert_array_equal(displayed(everything, header(PixelPaddingValue=0)), everything)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"WindowCenter": 5, "WindowWidth": 0}, "impossible window width"),
        ({"WindowCenter": 5, "WindowWidth": 0.5}, "impossible window width"),
        ({"WindowCenter": 5, "WindowWidth": -3, "VOILUTFunction": "SIGMOID"}, "impossible window width"),
        ({"WindowCenter": 5, "WindowWidth": 5, "VOILUTFunction": "CUBIC"}, "unknown VOI LUT function"),
    ],
)
def test_impossible_windows_are_refused(attributes, reason):
    with pytest.raises(ImageError, match=reason):
        displayed(RAMP, header(**attributes))


def test_a_table_that_is_too_short_is_refused():
    sequence = table([0, 1, 2])
    sequence[0].LUTDescriptor = [5, 0, 8]
    with pytest.raises(ImageError, match="look-up table that is too short"):
        displayed(RAMP, header(VOILUTSequence=sequence))
