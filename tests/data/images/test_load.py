import errno

import numpy as np
import pytest
import tensorflow as tf

from medxray.data.images import decode, load
from medxray.data.images import files as images
from medxray.data.images.files import ImageBytes
from medxray.data.images.load import load_image, loading_graphs
from medxray.data.pipeline import Source, read_source
from medxray.errors import ReadError

GREY, COLOUR = Source((), (64, 64), 1, "letterbox"), Source((), (64, 64), 3, "letterbox")


@pytest.fixture
def large_jpeg(tmp_path):
    """A JPEG that is decoded at reduced scale, where its aspect ratio is a little off."""
    file = tmp_path / "large.jpeg"
    file.write_bytes(tf.io.encode_jpeg(tf.zeros((1233, 1679, 1), tf.uint8)).numpy())
    return file


def test_box_is_exact_for_jpegs_decoded_at_reduced_scale(large_jpeg):
    decoded = decode.decode(tf.constant(large_jpeg.read_bytes()), (64, 64), 1)
    assert decoded.shape[0] < 200
    expected = tuple(int(edge) for edge in decode.letterbox_box(tf.shape(decoded)[:2], (64, 64)))
    assert load_image(large_jpeg, GREY).box == expected
    assert load_image(large_jpeg, Source((), (64, 64), 1, "stretch")).box == (0, 0, 64, 64)


def test_pixels_are_those_of_the_exported_graphs_decoding(tmp_path, write_image):
    write_image(tmp_path / "a.png", shape=(90, 70))
    content = tf.constant((tmp_path / "a.png").read_bytes())
    expected = decode.resize(decode.decode(content, (64, 64), 1), (64, 64), "letterbox")
    np.testing.assert_array_equal(load_image(tmp_path / "a.png", GREY).pixels, expected)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.tif"])
def test_bytes_and_paths_give_the_same(name, tmp_path, write_image):
    write_image(tmp_path / name, shape=(90, 70))
    by_path = load_image(tmp_path / name, GREY, picture=True, digest=True)
    in_memory = load_image(ImageBytes("x", (tmp_path / name).read_bytes()), GREY, picture=True, digest=True)
    assert by_path.reason == in_memory.reason == "" and by_path.pixels.any()
    np.testing.assert_array_equal(by_path.pixels, in_memory.pixels)
    np.testing.assert_array_equal(by_path.picture, in_memory.picture)
    assert (by_path.box, by_path.digest) == (in_memory.box, in_memory.digest) and len(by_path.digest) == 64


def test_dicom_bytes_and_paths_give_the_same(shared_data):
    file = shared_data / "dicom" / "rsna_frontal.dcm"
    by_path, in_memory = load_image(file, GREY), load_image(ImageBytes("x", file.read_bytes()), GREY)
    assert by_path.reason == "" and by_path.pixels.any()
    np.testing.assert_array_equal(by_path.pixels, in_memory.pixels)


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0" + bytes(40)])
def test_bytes_that_are_no_image_have_a_reason_and_black_pixels(content):
    found = load_image(ImageBytes("x", content), GREY)
    assert found.reason and not found.pixels.any() and found.pixels.shape == (64, 64, 1)


def test_pictures_keep_their_aspect_ratio_and_are_not_larger_than_needed(tmp_path, write_image):
    write_image(tmp_path / "wide.png", shape=(400, 1260))
    write_image(tmp_path / "small.tif", shape=(30, 50))
    assert load_image(tmp_path / "wide.png", GREY, picture=True).picture.shape == (200, 630, 1)
    assert load_image(tmp_path / "small.tif", COLOUR, picture=True).picture.shape == (30, 50, 3)
    assert load_image(tmp_path / "wide.png", GREY).picture is None


def test_one_graph_serves_images_of_every_size(tmp_path, write_image):
    for number, shape in enumerate([(30, 50), (64, 64), (200, 90), (91, 93)]):
        write_image(tmp_path / f"{number}.png", shape=shape)
        write_image(tmp_path / f"{number}.tif", shape=shape)
        for suffix in ("png", "tif"):
            assert load_image(tmp_path / f"{number}.{suffix}", GREY, picture=True).reason == ""
    for native in (True, False):
        graphs = loading_graphs((64, 64), 1, "letterbox", native)
        assert [graph.experimental_get_tracing_count() for graph in graphs] == [1, 1]


FAILURES = {
    "memory ran out": MemoryError(),
    "memory ran out while": tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"),
    "Input/output error": OSError(errno.EIO, "x"),
    "No space left": OSError(errno.ENOSPC, "x"),
    "Too many open files": OSError(errno.EMFILE, "x"),
    "medxray failed while it read this file .TypeError": TypeError("x"),
    "medxray failed while it read this file .InvalidArgumentError": tf.errors.InvalidArgumentError(
        None, None, "shapes differ [[{{node EnsureShape_2}}]]"
    ),
}


def fails(error):
    def function(*_, **__):
        raise error

    return function


@pytest.mark.parametrize("reason", FAILURES)
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("place", ["opening", "decoding"])
def test_a_failure_that_is_not_in_the_bytes_stops_with_the_path(
    tmp_path, write_image, monkeypatch, reason, name, place
):
    write_image(tmp_path / name, shape=(90, 70))
    where = (images, "open_image") if place == "opening" else (load, "_loaded")
    monkeypatch.setattr(*where, fails(FAILURES[reason]))
    with pytest.raises(ReadError, match=f"{name}: .*{reason}"):
        load_image(tmp_path / name, GREY)
    with pytest.raises(ReadError, match=f"{name}: .*{reason}"):
        read_source([tmp_path / name] * 3, size=(64, 64), channels=1, resize="letterbox")


def test_a_file_without_permission_has_that_reason(tmp_path, write_image, monkeypatch):
    write_image(tmp_path / "a.png", shape=(90, 70))
    monkeypatch.setattr(images, "open_image", fails(PermissionError(errno.EACCES, "x")))
    assert load_image(tmp_path / "a.png", GREY).reason == "Permission denied"


def test_a_fault_of_the_graph_is_no_damage(tmp_path, write_image, monkeypatch):
    write_image(tmp_path / "a.png", shape=(90, 70))
    form = Source((), (61, 64), 1, "letterbox")  # whose graph no other test has made
    with monkeypatch.context() as patched:
        patched.setattr(decode, "resize", lambda pixels, size, mode: tf.ensure_shape(pixels, (7, 7, 1)))
        with pytest.raises(ReadError, match="a.png: medxray failed while it read this file"):
            load_image(tmp_path / "a.png", form)
    loading_graphs.cache_clear()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp"])
def test_every_native_decoder_finds_half_a_file_damaged(tmp_path, write_image, name):
    write_image(tmp_path / name, shape=(90, 70))
    content = (tmp_path / name).read_bytes()
    assert load_image(ImageBytes("x", content[: len(content) // 2]), GREY).reason == (
        "the image data is truncated or damaged"
    )
