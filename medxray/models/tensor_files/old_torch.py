"""PyTorch's format before version 1.6: five pickles, then each storage as a count and its numbers."""

from medxray.models.tensor_files.cursor import Cursor
from medxray.models.tensor_files.opcodes import interpret
from medxray.models.tensor_files.refused import Refused, shown
from medxray.models.tensor_files.tensors import arrays

_MAGIC = 0x1950A86A20F9469CFC6C
START = b"\x80\x02\x8a\x0a" + _MAGIC.to_bytes(10, "little")  # the first bytes of every such file
_PROTOCOL = 1001


def read(content, choose):
    """Read a file.

    Args:
        content: bytes of the file.
        choose: function (object of the file) -> dict name -> Tensor.

    Returns:
        dict name -> numpy array.

    Raises:
        Refused: it is damaged, or holds anything but tensors.
    """
    cursor, known = Cursor(content), {}
    _check_start(*(interpret(cursor, {}) for _ in range(3)))
    tensors, keys = choose(interpret(cursor, known)), interpret(cursor, {})
    if type(keys) is not list or any(type(key) is not str for key in keys) or len(set(keys)) != len(keys):
        raise Refused("the list of its storages holds something else, or one twice")
    contents = _contents(cursor, keys, known)
    return arrays(tensors, lambda storage: contents[storage.key], file_size=len(content))


def _check_start(magic, protocol, system):
    if magic != _MAGIC or protocol != _PROTOCOL or type(system) is not dict:
        raise Refused("it begins in another way than PyTorch's files do")
    if system.get("little_endian") is not True:
        raise Refused("its numbers are big-endian; save it again on a little-endian computer")


def _contents(cursor, keys, known):
    """The bytes of each storage, dict key -> memoryview; they end with the file."""
    if set(keys) != set(known):
        raise Refused("the list of its storages names others than its tensors lie in")
    contents = {}
    for key in keys:
        if (count := cursor.number("q")) != known[key].count:
            raise Refused(f"storage {shown(key)} has {count} numbers instead of {known[key].count}")
        contents[key] = cursor.take(known[key].size)
    if cursor.left:
        raise Refused(f"{cursor.left} bytes stand behind its last storage")
    return contents
