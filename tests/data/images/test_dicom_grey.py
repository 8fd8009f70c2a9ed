import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence

from medxray.data.images.dicom_grey import displayed
from medxray.errors import ImageError

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


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
    np.testing.assert_allclose(grey, 255 - displayed(RAMP, header()), atol=1e-3)


@pytest.mark.parametrize("intercept", [{}, {"RescaleIntercept": None}, {"RescaleIntercept": 0}])
def test_a_slope_without_an_intercept_is_used(intercept):
    window = {"WindowWidth": 1000, "VOILUTFunction": "LINEAR_EXACT"}
    grey = displayed(RAMP, header(RescaleSlope=0.5, WindowCenter=1000, **intercept, **window))
    expected = header(WindowCenter=2000, **(window | {"WindowWidth": 2000}))
    np.testing.assert_allclose(grey, displayed(RAMP, expected), atol=1e-3)


def test_an_intercept_without_a_slope_is_used():
    grey = displayed(RAMP, header(RescaleIntercept=-1000, WindowCenter=0, WindowWidth=1000))
    np.testing.assert_allclose(grey, displayed(RAMP, header(WindowCenter=1000, WindowWidth=1000)), atol=1e-3)


def test_a_slope_of_nothing_is_refused():
    with pytest.raises(ImageError, match="impossible rescale slope of 0"):
        displayed(RAMP, header(RescaleSlope=0, RescaleIntercept=0))


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


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_presentation_lut_shape_inverse_turns_the_picture_once(photometric):
    inverse = displayed(RAMP, header(photometric, PresentationLUTShape="INVERSE"))
    np.testing.assert_array_equal(inverse, displayed(RAMP, header("MONOCHROME1")))
    identity = displayed(RAMP, header(PresentationLUTShape="IDENTITY"))
    np.testing.assert_array_equal(identity, displayed(RAMP, header()))


def test_without_a_window_hot_pixels_and_markers_do_not_count():
    deep = np.linspace(1000, 2000, 10_000).astype(np.uint16).reshape(100, 100)
    marked = deep.copy()
    marked[0, :40] = 4095
    np.testing.assert_allclose(displayed(marked, header())[1:], displayed(deep, header())[1:], atol=2)


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


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("window", [{}, {"WindowCenter": 1500, "WindowWidth": 1200}])
@pytest.mark.parametrize(
    ("padding", "value"),
    [({"PixelPaddingValue": 0}, 0), ({"PixelPaddingValue": 4000, "PixelPaddingRangeLimit": 4095}, 4050)],
)
def test_padding_is_black_whatever_the_polarity(photometric, window, padding, value):
    values = np.linspace(1000, 2000, 400).astype(np.uint16).reshape(20, 20)
    whole = displayed(values, header(photometric, **window))
    padded = displayed(np.pad(values, 2, constant_values=value), header(photometric, **window, **padding))
    np.testing.assert_allclose(padded[2:-2, 2:-2], whole, atol=1e-3)
    padded[2:-2, 2:-2] = 0
    assert (padded == 0).all()


@pytest.mark.parametrize("written", [-2000, 63536])
def test_padding_of_signed_pixels_is_known_signed_and_unsigned(written):
    values = np.linspace(-900, 900, 400).astype(np.int16).reshape(20, 20)
    signed = {"bits": 16, "PixelRepresentation": 1, "BitsAllocated": 16}
    dataset = header(**signed)
    dataset.add_new("PixelPaddingValue", "SS" if written < 0 else "US", written)
    padded = displayed(np.pad(values, 2, constant_values=-2000), dataset)
    np.testing.assert_allclose(padded[2:-2, 2:-2], displayed(values, header(**signed)), atol=1e-3)
    assert padded[0, 0] == 0


def test_padding_of_unsigned_pixels_written_signed_is_known():
    dataset = header(bits=16, BitsAllocated=16)
    dataset.add_new("PixelPaddingValue", "SS", -1)
    grey = displayed(np.array([[65535, 1000, 1500, 2000]], np.uint16), dataset)
    np.testing.assert_allclose(grey, [[0, 0, 127.5, 255]])


def test_padding_that_no_sample_can_have_hides_nothing():
    np.testing.assert_array_equal(displayed(RAMP, header(PixelPaddingValue=63536)), displayed(RAMP, header()))


def test_padding_that_would_cover_the_whole_picture_hides_nothing():
    ranged = header(PixelPaddingValue=0, PixelPaddingRangeLimit=4095)
    np.testing.assert_array_equal(displayed(RAMP, ranged), displayed(RAMP, header()))


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
