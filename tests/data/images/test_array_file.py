"""MedMNIST files: what is read, and what is refused before a pixel is unpacked."""

import io
import warnings
import zipfile
import zlib

import numpy as np
import pytest

from medxray.data.images import array_file as module
from medxray.data.images.array_file import array_file, read_array_file
from medxray.errors import ImageError


def saved(array, *, pickled=False):
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(array), version=(1, 0), allow_pickle=pickled)
    return out.getvalue()


def head(shape, dtype="|u1"):
    """The head of a member that claims a shape."""
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": dtype, "fortran_order": False, "shape": shape})
    return out.getvalue()


@pytest.fixture
def members(arrays_of):
    """Dict name of a member -> its bytes, of a sound file."""
    return {f"{name}.npy": saved(array) for name, array in arrays_of().items()}


@pytest.fixture
def write(tmp_path):
    """Function (dict or list of (name, bytes)) -> path of a zip with them."""

    def written(members, compression=zipfile.ZIP_DEFLATED):
        path = tmp_path / "set.npz"
        with zipfile.ZipFile(path, "w", compression) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names that occur twice
            for name, content in members.items() if isinstance(members, dict) else members:
                archive.writestr(name, content)
        return path

    return written


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(("side", "colour"), [(28, False), (29, True), (64, True)])
def test_pixels_and_labels_are_those_of_the_arrays(write, arrays_of, compression, side, colour):
    arrays = arrays_of(side=side, colour=colour)
    opened = read_array_file(write({f"{name}.npy": saved(array) for name, array in arrays.items()}, compression))
    assert opened.side == side
    for split in ("train", "val", "test"):
        assert opened.labels[split].tolist() == arrays[f"{split}_labels"][:, 0].tolist()
        read = [opened.pixels(split, row) for row in range(opened.count(split))]
        assert np.array_equal(read, arrays[f"{split}_images"])


def test_a_file_is_checked_once_until_it_changes(medmnist_file):
    first = array_file(medmnist_file(seed=0))
    assert array_file(first.path) is first
    assert array_file(medmnist_file(seed=1, side=32)).side == 32


def objects(members):
    members["train_labels.npy"] = saved(np.array([[{}]] * 24, object), pickled=True)


def several_labels(members):
    for split, count in (("train", 24), ("val", 10), ("test", 12)):
        members[f"{split}_labels.npy"] = saved(np.zeros((count, 14), np.uint8))


DAMAGES = {
    "objects": (objects, "train_labels.npy is an array of objects|one of objects"),
    "several labels": (several_labels, r"14 labels for each image \(multi-label"),
    "missing": (lambda m: m.pop("val_images.npy"), "lacks val_images, .* It holds: train_images, train_labels"),
    "huge shape": (lambda m: m.update({"train_images.npy": head((10**12, 28, 28))}), "says shape .* but has"),
    "negative shape": (lambda m: m.update({"train_images.npy": head((-1, 28, 28))}), "says shape"),
    "shape too small": (lambda m: m.update({"train_images.npy": head((1, 28, 28)) + bytes(9999)}), "says shape"),
    "no array": (lambda m: m.update({"train_images.npy": b"text"}), "train_images.npy is no array"),
    "head too long": (
        lambda m: m.update({"test_labels.npy": b"\x93NUMPY\x01\0\xff\xff" + b"(" * 65535}),
        "is no array",
    ),
    "head nested": (lambda m: m.update({"test_labels.npy": b"\x93NUMPY\x01\0\x00\x20" + b"(" * 8192}), "is no array"),
    "3-D": (
        lambda m: m.update({"train_images.npy": saved(np.zeros((24, 28, 28, 28), np.uint8))}),
        "Expected 2-D images",
    ),
    "float": (lambda m: m.update({"train_images.npy": saved(np.zeros((24, 28, 28), "f4"))}), "float32. Expected 2-D"),
    "wide": (lambda m: m.update({"val_images.npy": saved(np.zeros((10, 2, 2000), np.uint8))}), "sides of 8 to 1024"),
    "fortran": (
        lambda m: m.update({"val_images.npy": saved(np.asfortranarray(np.zeros((10, 28, 28), np.uint8)))}),
        "Expected 2-D images",
    ),
    "other size": (lambda m: m.update({"val_images.npy": saved(np.zeros((10, 32, 32), np.uint8))}), "differ in size"),
    "label count": (lambda m: m.update({"val_labels.npy": saved(np.zeros((9, 1), np.uint8))}), "Expected one whole"),
    "label type": (lambda m: m.update({"val_labels.npy": saved(np.zeros((10, 1)))}), "Expected one whole number"),
    "negative label": (lambda m: m.update({"val_labels.npy": saved(-np.ones((10, 1), int))}), "has the label -1"),
    "many members": (lambda m: m.update({f"x{n}.npy": b"" for n in range(40)}), "holds 46 arrays"),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_a_damaged_or_hostile_file_is_refused_with_the_reason(write, members, case):
    change, reason = DAMAGES[case]
    change(members)
    with pytest.raises(ImageError, match=reason) as caught:
        read_array_file(write(members))
    assert "\n" not in str(caught.value)


def test_a_member_twice_is_refused(write, members):
    with pytest.raises(ImageError, match="holds 'val_images.npy' twice"):
        read_array_file(write([*members.items(), ("val_images.npy", members["val_images.npy"])]))


def test_a_member_that_unpacks_more_than_a_hundredfold_is_refused(write, members, monkeypatch):
    monkeypatch.setattr(module, "_SURE", 1 << 16)
    members["train_images.npy"] = saved(np.zeros((24, 224, 224), np.uint8))
    with pytest.raises(ImageError, match=r"train_images.npy unpacks to 0.0 GB from \d+ bytes"):
        read_array_file(write(members))


def test_more_pixels_than_the_limit_are_refused(write, members, monkeypatch):
    monkeypatch.setattr(module, "_MOST_BYTES", 1000)
    with pytest.raises(ImageError, match="more than the limit"):
        read_array_file(write(members))


@pytest.mark.parametrize("claim", [10, 10**9])
def test_a_member_whose_data_are_not_as_long_as_the_directory_says_is_refused(write, members, claim):
    path = write(members)
    whole = bytearray(path.read_bytes())
    place = whole.rindex(b"train_images.npy") - 46  # its entry in the directory of the archive
    shape = (claim, 28, 28)
    packed = zlib.compressobj(wbits=-15)
    assert whole[place : place + 4] == b"PK\x01\x02" and packed
    whole[place + 24 : place + 28] = (len(head(shape)) + claim % 2**22).to_bytes(4, "little")
    path.write_bytes(whole)
    with pytest.raises(ImageError, match="says shape|damaged"):
        read_array_file(path)


@pytest.mark.parametrize("cut", [0, 3, 200, -40])
def test_a_file_that_is_cut_off_is_refused(write, members, cut):
    path = write(members)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ImageError, match="no whole npz file"):
        read_array_file(path)


def test_changed_pixels_are_found_when_they_are_unpacked(write, members):
    path = write(members, zipfile.ZIP_STORED)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(members["test_images.npy"][-100:], bytes(100)))
    opened = read_array_file(path)
    assert opened.pixels("train", 0).shape == (28, 28)
    with pytest.raises(ImageError, match="damaged"):
        opened.pixels("test", 0)
