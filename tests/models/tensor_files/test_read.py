"""Tensors come out of the files of PyTorch and safetensors as they were put in."""

import json
import struct

import numpy as np
import pytest

from medxray.errors import WeightsError
from medxray.models.tensor_files.read import read_tensors
from tests.fixtures import torch_bytes as made

ARRAYS = {"a.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4), "a.bias": np.array([1.5, -2], np.float32)}
both = pytest.mark.parametrize("old", [True, False], ids=["old", "zip"])


def write(tmp_path, content):
    file = tmp_path / "net.pth"
    file.write_bytes(content)
    return file


def packed(value, contents, old):
    return (made.old_file if old else made.zip_file)(value, contents)


def read_one(tmp_path, value, array, old=True):
    """The tensor of a file with one of them in storage "0"."""
    return read_tensors(write(tmp_path, packed(made.mapping([("w", value)]), {"0": array}, old)))["w"]


@both
def test_arrays_and_their_order_come_back(tmp_path, old):
    found = read_tensors(write(tmp_path, packed(*made.state_dict(ARRAYS, old=old), old)))
    assert list(found) == list(ARRAYS)
    assert all(np.array_equal(found[name], ARRAYS[name]) and found[name].dtype == np.float32 for name in ARRAYS)


@both
def test_arrays_cannot_be_written_to(tmp_path, old):
    found = read_tensors(write(tmp_path, packed(*made.state_dict(ARRAYS, old=old), old)))
    with pytest.raises(ValueError, match="read-only"):
        found["a.bias"][0] = 1


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("DoubleStorage", "<f8"),
        ("HalfStorage", "<f2"),
        ("LongStorage", "<i8"),
        ("IntStorage", "<i4"),
        ("ShortStorage", "<i2"),
        ("CharStorage", "i1"),
        ("ByteStorage", "u1"),
        ("BoolStorage", "?"),
    ],
)
def test_types_of_numbers_are_kept(tmp_path, kind, dtype):
    array = np.array([0, 1, 1, 0, 1], dtype)
    found = read_one(tmp_path, made.tensor(made.storage("0", 5, kind), [5], [1]), array)
    assert found.dtype == dtype and np.array_equal(found, array)


def test_bfloat16_becomes_float32(tmp_path):
    """1.0 is 0x3f80 and -2.5 is 0xc020: the upper halves of float32."""
    array = np.array([0x3F80, 0xC020], "<u2")
    found = read_one(tmp_path, made.tensor(made.storage("0", 2, "BFloat16Storage"), [2], [1]), array)
    assert found.dtype == np.float32 and found.tolist() == [1.0, -2.5]
    single = read_one(tmp_path, made.tensor(made.storage("0", 2, "BFloat16Storage"), [], [], offset=1), array)
    assert single.shape == () and single == -2.5


@both
def test_strides_and_offsets_are_honoured(tmp_path, old):
    """Elements 1, 2, 3 and 5, 6, 7 of a 3x4 storage, then transposed."""
    array = np.arange(12, dtype=np.float32)
    held = made.storage("0", 12, old=old)
    assert read_one(tmp_path, made.tensor(held, [2, 3], [4, 1], 1), array, old).tolist() == [[1, 2, 3], [5, 6, 7]]
    assert read_one(tmp_path, made.tensor(held, [3, 2], [1, 4], 1), array, old).tolist() == [[1, 5], [2, 6], [3, 7]]
    assert read_one(tmp_path, made.tensor(held, [1, 2], [999, 11]), array, old).tolist() == [[0, 11]]
    assert read_one(tmp_path, made.tensor(held, [], [], 7), array, old) == 7
    assert read_one(tmp_path, made.tensor(held, [0, 5], [5, 1]), array, old).shape == (0, 5)


@both
def test_tensors_may_share_a_storage(tmp_path, old):
    held = made.storage("0", 4, old=old)
    value = made.mapping([("first", made.tensor(held, [2], [1])), ("all", made.tensor(held, [4], [1]))])
    found = read_tensors(write(tmp_path, packed(value, {"0": np.arange(4, dtype=np.float32)}, old)))
    assert found["first"].tolist() == [0, 1] and found["all"].tolist() == [0, 1, 2, 3]


@both
@pytest.mark.parametrize("wrapper", ["state_dict", "model_state_dict", "model"])
def test_state_dict_of_a_checkpoint_is_taken_out_of_it(tmp_path, old, wrapper):
    value, contents = made.state_dict({f"module.{name}": array for name, array in ARRAYS.items()}, old=old)
    groups = made.mapping([("params", b"](K\x00K\x01e")])
    optimizer = made.mapping([("state", b"}K\x00" + made.mapping([("step", b"K\x05")]) + b"s"), ("groups", groups)])
    rate = b"G" + struct.pack(">d", 0.1)
    checkpoint = made.mapping([("epoch", b"K\x03"), ("rate", rate), (wrapper, value), ("optimizer", optimizer)])
    found = read_tensors(write(tmp_path, packed(checkpoint, contents, old)))
    assert all(np.array_equal(found[name], ARRAYS[name]) for name in ARRAYS)


def test_versions_of_layers_beside_a_state_dict_are_dropped(tmp_path):
    value, contents = made.state_dict(ARRAYS)
    metadata = made.mapping([("_metadata", made.mapping([("", made.mapping([("version", b"K\x01")]))]))])
    assert list(read_tensors(write(tmp_path, made.old_file(value + metadata + b"b", contents)))) == list(ARRAYS)


def test_what_python_2_and_old_versions_of_pytorch_wrote_is_read(tmp_path):
    """Texts as bytes, the items of an OrderedDict as a list of lists, tensors without `requires_grad`, parameters."""
    held = made.storage("0", 2)
    plain = b"ctorch._utils\n_rebuild_tensor\n(" + held + b"K\x00K\x02\x85K\x01\x85tR"
    parameter = b"ctorch._utils\n_rebuild_parameter\n" + plain + b"\x88" + made.ORDERED + b")R\x87R"
    pairs = b"](](U\x01ae](T\x01\x00\x00\x00b" + parameter + b"ee\x85R"
    value = made.ORDERED + pairs.replace(b"U\x01ae", b"U\x01a" + plain + b"e")
    found = read_tensors(write(tmp_path, made.old_file(value, {"0": np.array([1, 2], np.float32)})))
    assert list(found) == ["a", "b"] and found["b"].tolist() == [1, 2]


def test_memo_gives_the_same_object_again(tmp_path):
    value = b"}(" + made.text("a") + b"q\x07" + made.tensor(made.storage("0", 1), [1], [1]) + b"r\xff\xff\xff\xffh\x070"
    value = value[:-3] + made.text("b") + b"j\xff\xff\xff\xffu"
    found = read_tensors(write(tmp_path, made.old_file(value, {"0": np.ones(1, np.float32)})))
    assert found["a"] == found["b"] == 1


def safetensors(header, data):
    text = json.dumps(header).encode() if isinstance(header, dict) else header
    return struct.pack("<Q", len(text)) + text + data


def entry(shape, start, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def test_safetensors_are_read(tmp_path):
    header = {
        "__metadata__": {"format": "pt"},
        "b": entry([2], 24, 28, "BF16"),
        "a": entry([2, 3], 0, 24),
        "c": entry([], 28, 36, "I64"),
    }
    data = np.arange(6, dtype="<f4").tobytes() + np.array([0x3F80, 0xC020], "<u2").tobytes() + struct.pack("<q", -3)
    found = read_tensors(write(tmp_path, safetensors(header, data)))
    assert found["a"].tolist() == [[0, 1, 2], [3, 4, 5]] and found["b"].tolist() == [1, -2.5] and found["c"] == -3


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"a": entry([3], 0, 8)}, "a has 8 bytes, where its shape needs 12"),
        ({"a": entry([2], 4, 12)}, "a begins at byte 4 .* where the one before ends at 0"),
        ({"a": entry([2], 0, 8), "b": entry([1], 4, 8)}, "b begins at byte 4"),
        ({"a": entry([1], 0, 4)}, "its tensors have 4 bytes, where 8 are there"),
        ({"a": entry([4], 0, 16)}, "its tensors have 16 bytes, where 8 are there"),
        ({"a": entry([-2], 0, 8)}, "a has no known dtype"),
        ({"a": entry([2.0], 0, 8)}, "a has no known dtype"),
        ({"a": entry([True, 2], 0, 8)}, "a has no known dtype"),
        ({"a": entry([1] * 9 + [2], 0, 8)}, "a has no known dtype"),
        ({"a": entry([2**70], 0, 8)}, "a has no known dtype"),
        ({"a": entry([2], 0, 8, "F8")}, "a has no known dtype"),
        ({"a": entry([2], 0, 8, [])}, "a has no known dtype"),
        ({"a": {"dtype": "F32"}}, "a has no known dtype"),
        ({"a": None}, "a has no known dtype"),
        ({}, "its tensors have 0 bytes"),
        (b'{"a": {}, "a": {}}', "a name stands twice in its header"),
        (b'{"a": {"shape": [1], "shape": [2]}}', "a name stands twice in its header"),
        (b'{"a": ', "its header is no JSON object"),
        (b'{"a": \xff}', "its header is no JSON object"),
        (b'{"a":' + b"[" * 100_000, "its header is no JSON object"),
        (b'{"a":' + b"9" * 10_000 + b"}", "its header is no JSON object"),
    ],
)
def test_damaged_header_of_safetensors_is_refused(tmp_path, header, reason):
    with pytest.raises(WeightsError, match=reason) as caught:
        read_tensors(write(tmp_path, safetensors(header, bytes(8))))
    assert "\n" not in str(caught.value)


def test_header_of_safetensors_has_a_largest_length(tmp_path):
    with pytest.raises(WeightsError, match="its header has 5000000 bytes, where 4194304 are the most"):
        read_tensors(write(tmp_path, safetensors(b"{" + b" " * 4_999_998 + b"}", b"")))


def test_other_files_are_told_in_one_line(tmp_path):
    for content in (b"", b"text", b"{}", made.START[:8], struct.pack("<Q", 2**60) + b"{"):
        with pytest.raises(WeightsError, match="it begins like no such file. Expected a state_dict"):
            read_tensors(write(tmp_path, content))
    with pytest.raises(WeightsError, match="missing.pth cannot be read: No such file"):
        read_tensors(tmp_path / "missing.pth")
