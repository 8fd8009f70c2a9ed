"""Hostile and damaged files of PyTorch: each is refused in one line, nothing is run, memory stays small."""

import ast
import io
import random
import struct
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

import medxray.models.tensor_files as room
from medxray.errors import WeightsError
from medxray.models.tensor_files import opcodes
from medxray.models.tensor_files.read import read_tensors
from tests.fixtures import torch_bytes as made

FOUR = {"0": np.arange(4, dtype=np.float32)}
HELD = made.storage("0", 4)
GOOD = made.tensor(HELD, [4], [1])
CALL = b"cos\nsystem\n" + made.text("touch broken") + b"\x85R"


def refused(tmp_path, content):
    """The message of the one error that reading a file may raise, and the most memory that was used."""
    file = tmp_path / "net.pth"
    file.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError) as caught:
            read_tensors(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert "\n" not in message and message.isascii() and len(message) < 500
    return message, peak


def message_of(tmp_path, value, contents=FOUR):
    """The message for a file of the old format that holds `value` as its only entry."""
    return refused(tmp_path, made.old_file(made.mapping([("w", value)]), contents))[0]


@pytest.mark.parametrize(
    "value",
    [
        CALL,
        b"cbuiltins\neval\n" + made.text("1") + b"\x85R",
        b"ctorch\nload\n)R",
        b"ctorch.FloatStorage\n__init__\n",
        b"c\n\n",
        "cos\x00\nsystem\u2028\n".encode(),
        b"cmedxray.models\nweights\n",
    ],
    ids=["os.system", "eval", "torch.load", "attribute", "empty", "signs", "own"],
)
def test_foreign_objects_are_named_and_not_run(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    assert "it asks for the Python object" in message_of(tmp_path, value)
    assert [file.name for file in tmp_path.iterdir()] == ["net.pth"]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (b"(ios\nsystem\n", "INST"),
        (b"(cos\nsystem\no", "it asks for"),
        (b"(" + made.ORDERED + b"o", "OBJ"),
        (made.ORDERED + b")\x81", "NEWOBJ"),
        (made.ORDERED + b")}\x92", "NEWOBJ_EX"),
        (b"\x82\x01", "EXT1"),
        (b"\x83\x01\x00", "EXT2"),
        (b"\x84\x01\x00\x00\x00", "EXT4"),
        (made.text("os") + made.text("system") + b"\x93", "STACK_GLOBAL"),
        (b"\x95" + bytes(8), "FRAME"),
        (b"\x94", "0x94"),
        (b"0", "0x30"),
        (b"P0\n", "0x50"),
        (b"\x8b\x01\x00\x00\x00\x01", "0x8b"),
        (b"\x96" + struct.pack("<Q", 2**60), "0x96"),
    ],
)
def test_opcodes_outside_of_the_list_are_refused(tmp_path, code, name):
    assert name in message_of(tmp_path, code)


@pytest.mark.parametrize("protocol", [0, 1, 3, 4, 5, 255])
def test_other_protocols_are_refused(tmp_path, protocol):
    assert f"it has protocol {protocol} of pickle" in message_of(tmp_path, b"\x80" + bytes([protocol]))


@pytest.mark.parametrize(
    "value",
    [
        GOOD + b"}b",
        GOOD + made.mapping([("_metadata", b"}")]) + b"b",
        made.ORDERED + b")R" + made.mapping([("__class__", b"N")]) + b"b",
        made.ORDERED + b")R" + made.mapping([("_metadata", b"}"), ("x", b"N")]) + b"b",
        made.ORDERED + b")RN}\x86b",
        b"}" + made.mapping([("_metadata", b"}")]) + b"b",
        made.ORDERED + made.mapping([("_metadata", b"}")]) + b"b",
    ],
    ids=["tensor", "tensor with versions", "class", "more", "tuple", "dict", "function"],
)
def test_build_is_for_the_versions_of_a_state_dict_alone(tmp_path, value):
    assert "it sets the attributes of an object (BUILD)" in message_of(tmp_path, value)


@pytest.mark.parametrize(
    "value",
    [
        b"N)R",
        HELD + b")R",
        made.ORDERED + b"NR",
        b"ctorch\nFloatStorage\n)R",
        made.REBUILD + b")R",
        made.REBUILD + made.numbers(range(9)) + b"R",
        made.REBUILD + made.numbers(range(6)) + b"R",
        made.ORDERED + b"](K\x01e\x85R",
        made.tensor(HELD, [4], [1], hooks=made.mapping([("x", b"N")])),
        made.REBUILD + b"(" + HELD + b"K\x00K\x04\x85K\x01\x85\x89}" + made.mapping([("neg", b"\x88")]) + b"tR",
        b"ctorch._utils\n_rebuild_parameter\nN\x88}\x87R",
    ],
)
def test_calls_with_other_arguments_are_refused(tmp_path, value):
    message_of(tmp_path, value)


@pytest.mark.parametrize(
    "value",
    [
        b"NQ",
        b")Q",
        made.numbers([1, 2, 3, 4, 5]) + b"Q",
        b"(" + made.text("storage") + b"NX\x01\x00\x00\x000NK\x04NtQ",
        b"(" + made.text("storage") + b"ctorch\nComplexFloatStorage\n",
        made.storage("0", -4),
        HELD.replace(b"NtQ", made.numbers([0, 1]) + b"tQ"),
        made.tensor(made.storage("0", 4, "IntStorage"), [4], [1]) + b"1" + GOOD,
    ],
)
def test_storages_that_are_described_otherwise_are_refused(tmp_path, value):
    message_of(tmp_path, value)


def test_storage_that_is_described_twice_is_refused(tmp_path):
    entries = [("a", GOOD), ("b", made.tensor(made.storage("0", 4, "IntStorage"), [4], [1]))]
    assert "described in two ways" in refused(tmp_path, made.old_file(made.mapping(entries), FOUR))[0]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (made.tensor(HELD, [5], [1]), "reaches beyond its storage 0 of 4"),
        (made.tensor(HELD, [4], [1], 1), "reaches beyond"),
        (made.tensor(HELD, [2, 2], [3, 1]), "reaches beyond"),
        (made.tensor(HELD, [0], [1], 5), "reaches beyond"),
        (made.tensor(HELD, [], [], 4), "reaches beyond"),
        (made.tensor(HELD, [4], [1], -1), "no number from 0 on"),
        (made.tensor(HELD, [4], [-1], 3), "no number from 0 on"),
        (made.tensor(HELD, [-4], [1]), "no number from 0 on"),
        (made.tensor(HELD, [2, 2], [1, 1]), "strides with which elements overlap"),
        (made.tensor(HELD, [4], [0]), "strides with which elements overlap"),
        (made.tensor(HELD, [3, 2], [1, 1]), "strides with which elements overlap"),
        (made.tensor(HELD, [2**30, 4], [0, 1]), "overlap"),
        (made.tensor(HELD, [2**80], [1]), "above 1099511627776"),
        (made.tensor(HELD, [0, 2**39, 2**39], [1, 1, 1]), "above 1099511627776"),
        (made.tensor(HELD, [1, 4], [2**80, 1]), "above 1099511627776"),
        (made.tensor(HELD, [2, 2], [1]), "2 lengths and 1 strides"),
        (made.tensor(HELD, [1] * 9, [1] * 9), "9 lengths"),
        (made.REBUILD + b"(" + HELD + b"\x88K\x04\x85K\x01\x85\x89}tR", "no number from 0 on"),
    ],
)
def test_tensors_outside_of_their_storage_are_refused(tmp_path, value, reason):
    assert reason in message_of(tmp_path, value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"X\xff\xff\xff\x7f", "a text of 2147483647 bytes"),
        (b"T\xff\xff\xff\xff", "a text of 4294967295 bytes"),
        (b"X\x00\x10\x00\x00", "more are needed"),
        (b"X\x02\x00\x00\x00\xff\xff", "is not utf-8"),
        (b"U\x01\xff", "is not ascii"),
        (b"\x8a\xff" + bytes(255), "a number has 255 bytes"),
        (b"cabc" + b"a" * 10_000, "has no end"),
        (b"h\x05", "nothing was kept under the number 5"),
        (b"j\xff\xff\xff\xff", "nothing was kept under the number 4294967295"),
        (b"ttt", "there is no mark"),
        (b"(" * 17, "nested more than 16 deep"),
        (b"N" + b"\x85" * 3, "longer or deeper"),
        (b"(" + b"N" * 17 + b"t", "longer or deeper"),
        (b"](NNu", "a dict is needed"),
        (b"}(Ne", "a list is needed"),
        (b"}(Nu", "a key without a value"),
        (b"}NNs", "a key is of the type NoneType"),
        (b"})Ns", "a key is of the type tuple"),
        (b"}\x88Ns", "a key is of the type bool"),
        (b"}" + made.number(-1) + b"Ns", "a key is of the type int"),
        (b"}" + made.number(2**61 - 1) + b"Ns", "a key is of the type int"),
        (b"}(K\x01NK\x01Nu", "the key 1 stands twice"),
        (made.mapping([("a", b"N"), ("a", b"N")]), "the key a stands twice"),
        (b"K\x05", "w is no tensor but a int"),
        (b"]", "w is no tensor but a list"),
        (HELD, "w is no tensor but a Storage"),
    ],
)
def test_other_damage_and_excess_is_told(tmp_path, value, reason):
    assert reason in message_of(tmp_path, value)


@pytest.mark.parametrize("value", [b"N", b"]", b"}", b"K\x01", made.ORDERED, b")", GOOD], ids=range(7))
def test_file_without_a_dict_of_tensors_is_refused(tmp_path, value):
    assert "it holds no dict of tensors" in refused(tmp_path, made.old_file(value, FOUR))[0]


@pytest.mark.parametrize("value", [b"a", b"s", b"R", b"b", b"Q", b"q\x00", b"", b"NN", b"(N"])
def test_empty_and_full_stacks_are_refused(tmp_path, value):
    message, _ = refused(tmp_path, made.START + made.system() + b"\x80\x02" + value + b".")
    assert "stack" in message


@pytest.mark.parametrize(
    "unit",
    [
        b"]",
        b"}",
        b"N",
        b"K\x01",
        made.ORDERED + b")R",
        b"]q\x00",
        b"U\x01a",
        b"(t",
        b"K\x01\x85",
        b"]r\xff\xff\xff\x7f",
    ],
)
def test_memory_is_bounded_by_the_size_of_the_file(tmp_path, unit):
    content = made.START + made.system() + b"\x80\x02" + unit * (100_000 // len(unit))
    message, peak = refused(tmp_path, content)
    assert "more are needed" in message and peak < 110 * len(content)


def test_number_of_instructions_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(opcodes, "MOST_INSTRUCTIONS", 1000)
    content = made.START + made.system() + b"\x80\x02" + b"N" * 1000
    assert "more than 1000 instructions" in refused(tmp_path, content)[0]


def test_huge_index_of_the_memo_takes_no_memory(tmp_path):
    message, peak = refused(tmp_path, made.old_file(b"}r\xff\xff\xff\xffq\x01", {}))
    assert "no dict of tensors" in message and peak < 1_000_000


def test_lists_may_be_nested_without_harm(tmp_path):
    deep = b"]" * 50_000 + b"a" * 49_999
    assert "w is no tensor but a list" in message_of(tmp_path, deep, {})


def test_many_tensors_of_one_storage_are_refused_before_they_could_fill_the_memory(tmp_path):
    big = np.zeros(50_000, np.float32)
    first = b"}(" + made.text("w0") + made.tensor(made.storage("0", big.size), [big.size], [1]) + b"q\x01"
    value = first + b"".join(made.text(f"w{place}") + b"h\x01" for place in range(1, 200)) + b"u"
    message, peak = refused(tmp_path, made.old_file(value, {"0": big}))
    assert "4 times more than the file" in message and peak < 2_000_000


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"little": False}, "big-endian"),
        ({"names": []}, "names others than its tensors lie in"),
        ({"names": ["0", "1"]}, "names others than its tensors lie in"),
        ({"names": ["0", "0"]}, "or one twice"),
        ({"counts": {"0": 5}}, "storage 0 has 5 numbers instead of 4"),
        ({"counts": {"0": -1}}, "storage 0 has -1 numbers instead of 4"),
        ({"counts": {"0": 2**62}}, "numbers instead of 4"),
    ],
)
def test_old_files_that_contradict_themselves_are_refused(tmp_path, options, reason):
    content = made.old_file(made.mapping([("w", GOOD)]), FOUR, **options)
    assert reason in refused(tmp_path, content)[0]


def test_missing_and_trailing_bytes_of_old_files_are_told(tmp_path):
    content = made.old_file(made.mapping([("w", GOOD)]), FOUR)
    assert "it ends at byte" in refused(tmp_path, content[:-1])[0]
    assert "1 bytes stand behind its last storage" in refused(tmp_path, content + b"\x00")[0]
    for end in range(len(made.START), len(content), 7):
        refused(tmp_path, content[:end])


ZIPPED = made.mapping([("w", made.tensor(made.storage("0", 4, old=False), [4], [1]))])


def zip_message(tmp_path, contents=FOUR, value=ZIPPED, **options):
    with warnings.catch_warnings(action="ignore"):  # zipfile warns of duplicates that it writes
        content = made.zip_file(value, contents, **options)
    return refused(tmp_path, content)[0]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"order": "big"}, "big-endian"),
        ({"compression": zipfile.ZIP_DEFLATED}, "is compressed or encrypted"),
        ({"extra": [("net/data/0", bytes(16))]}, "two members of one name"),
        ({"extra": [("net/../x", b"")]}, "the member net/../x of its archive leaves its folder"),
        ({"extra": [("../net/x", b"")]}, "leaves its folder"),
        ({"extra": [("/net/x", b"")]}, "leaves its folder"),
        ({"extra": [("net\\..\\x", b"")]}, "leaves its folder"),
        ({"extra": [("other/x", b"")]}, "does not hold one folder"),
        ({"extra": [("net/code/__torch__.py", b"")]}, "it is a TorchScript program"),
        ({"extra": [("net/constants.pkl", b"")]}, "it is a TorchScript program"),
        ({"contents": {}}, "storage 0 is missing"),
        ({"contents": {"0": np.zeros(3, np.float32)}}, "storage 0 has 12 bytes instead of 16"),
        ({"contents": {"0": np.zeros(5, np.float32)}}, "storage 0 has 20 bytes instead of 16"),
        ({"value": ZIPPED + b"." + ZIPPED}, "bytes stand behind its pickle"),
        ({"value": CALL}, "it asks for the Python object os.system"),
    ],
)
def test_archives_that_pytorch_does_not_write_are_refused(tmp_path, options, reason):
    assert reason in zip_message(tmp_path, **options)


def test_archive_without_a_pickle_is_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("net/version", "3")
    assert "holds no data.pkl" in refused(tmp_path, buffer.getvalue())[0]


def test_bomb_is_not_unpacked(tmp_path):
    content = made.zip_file(ZIPPED, {"0": np.zeros(25_000_000, np.float32)}, compression=zipfile.ZIP_DEFLATED)
    message, peak = refused(tmp_path, content)
    assert "is compressed" in message and peak < 10 * len(content)


def test_members_that_overlap_are_refused(tmp_path):
    """The sizes in the list of members say more than the file has."""
    content = bytearray(made.zip_file(ZIPPED, FOUR))
    entry = content.rfind(b"PK\x01\x02")
    content[entry + 20 : entry + 28] = struct.pack("<II", len(content), len(content))
    assert "overlap" in refused(tmp_path, bytes(content))[0]


def test_missing_and_trailing_bytes_of_archives_are_told(tmp_path):
    content = made.zip_file(ZIPPED, FOUR)
    assert "bytes stand behind its archive" in refused(tmp_path, content + b"\x00")[0]
    for end in range(4, len(content), 11):
        refused(tmp_path, content[:end])
    changed = bytearray(content)
    changed[content.index(FOUR["0"].tobytes()) + 5] ^= 255
    assert "its archive is damaged: Bad CRC-32" in refused(tmp_path, bytes(changed))[0]


@pytest.mark.parametrize("kind", ["old", "zip"])
def test_changed_bytes_end_in_a_message_or_in_other_numbers_alone(tmp_path, kind):
    draw = random.Random(0)
    tensors = {f"layer{place}.weight": np.ones((2, 3), np.float32) for place in range(3)}
    value, contents = made.state_dict(tensors, old=kind == "old")
    content = (made.old_file if kind == "old" else made.zip_file)(value, contents)
    for _ in range(600):
        changed = bytearray(content)
        for _ in range(draw.randint(1, 3)):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
        file = tmp_path / "net.pth"
        file.write_bytes(changed)
        try:
            found = read_tensors(file)
        except WeightsError as error:
            assert "\n" not in str(error)
        else:
            assert all(isinstance(array, np.ndarray) for array in found.values())


def test_room_has_no_pickle_torch_or_eval():
    for file in Path(room.__file__).parent.glob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        imports = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        imports |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        assert not {name.split(".")[0] for name in imports} & {"pickle", "torch", "importlib", "tensorflow", "keras"}
        assert not {node.id for node in nodes if isinstance(node, ast.Name)} & {"eval", "exec", "__import__", "getattr"}
