"""An interpreter of the opcodes that PyTorch writes, protocol 2 of Python's pickle, and of no others.

It makes texts, numbers, lists, dicts and tuples, and what `rebuild` has for the names of PyTorch; it imports and runs
nothing. Its memory is bounded: each instruction takes at least a byte of the file and makes at most one small object,
of about 100 bytes, or a text of the length that it has in the file; there are at most MOST_INSTRUCTIONS, thus 50 MB.

Source: Lib/pickletools.py of Python for the opcodes; torch/serialization.py of PyTorch for what is written with them.
"""

import struct
from collections import OrderedDict

from medxray.models.tensor_files import rebuild
from medxray.models.tensor_files.refused import Refused

MOST_INSTRUCTIONS = 500_000  # a network of 1,000 tensors has about 40,000
_DEEPEST = 16  # open marks; a checkpoint with its optimizer has 6
_LONGEST_TUPLE = 16
_LONGEST_NUMBER = 16  # bytes
_OUTSIDE = {
    "(": "MARK",
    "c": "GLOBAL",
    "i": "INST",
    "o": "OBJ",
    "\x81": "NEWOBJ",
    "\x82": "EXT1",
    "\x83": "EXT2",
    "\x84": "EXT4",
    "\x92": "NEWOBJ_EX",
    "\x93": "STACK_GLOBAL",
    "\x95": "FRAME",
}


def interpret(cursor, storages):
    """Read one pickle.

    Args:
        cursor: cursor.Cursor at its first byte; afterwards it stands behind the last one.
        storages: dict key -> tensors.Storage; those that the pickle names are added.

    Returns:
        str, int, float, bool, None, tuple, list, dict, or a tensors.Storage or tensors.Tensor.

    Raises:
        Refused: an opcode that is not in the list, an object that is not in that of `rebuild`, or damage.
    """
    machine = _Machine(cursor, storages)
    for _ in range(MOST_INSTRUCTIONS):
        at, code = cursor.position, cursor.number("B")
        if code == _STOP:
            return machine.result()
        if code not in _OPCODES:
            name = _OUTSIDE.get(chr(code), f"{code:#04x}")
            raise Refused(f"the opcode {name} at byte {at} is none that a file of tensors needs")
        _OPCODES[code](machine)
    raise Refused(f"it has more than {MOST_INSTRUCTIONS} instructions")


class _Machine:
    """The stack, the marked stacks below it and the memo of a pickle."""

    def __init__(self, cursor, storages):
        self.cursor, self.storages = cursor, storages
        self._stack, self._below, self._memo = [], [], {}

    def result(self):
        if len(self._stack) != 1 or self._below:
            raise Refused("it ends with a stack of several objects, or of none")
        return self._stack[0]

    def push(self, value):
        self._stack.append(value)

    def pop(self):
        value = self.top()
        self._stack.pop()
        return value

    def top(self, kind=object):
        if not self._stack:
            raise Refused(f"it takes an object from an empty stack at byte {self.cursor.position}")
        if not isinstance(self._stack[-1], kind):
            raise Refused(f"a {kind.__name__} is needed at byte {self.cursor.position}")
        return self._stack[-1]

    def mark(self):
        if len(self._below) == _DEEPEST:
            raise Refused(f"it is nested more than {_DEEPEST} deep")
        self._below.append(self._stack)
        self._stack = []

    def above_mark(self):
        if not self._below:
            raise Refused(f"there is no mark at byte {self.cursor.position}")
        values, self._stack = self._stack, self._below.pop()
        return values

    def remember(self, place):
        self._memo[place] = self.top()

    def recall(self, place):
        if place not in self._memo:
            raise Refused(f"nothing was kept under the number {place}")
        self.push(self._memo[place])


def _protocol(machine):
    if (found := machine.cursor.number("B")) != 2:
        raise Refused(f"it has protocol {found} of pickle, where PyTorch writes 2")


def _long(machine):
    if (count := machine.cursor.number("B")) > _LONGEST_NUMBER:
        raise Refused(f"a number has {count} bytes")
    machine.push(int.from_bytes(machine.cursor.take(count), "little", signed=True))


def _float(machine):
    machine.push(struct.unpack(">d", machine.cursor.take(8))[0])


def _global(machine):
    machine.push(rebuild.named(machine.cursor.line(), machine.cursor.line()))


def _push_tuple(machine, values):
    """Tuples hold no lists or dicts, and tuples in them hold no tuples: PyTorch needs no more."""
    inner = [value for value in values if type(value) is tuple]
    flat = all(type(value) is not tuple for each in inner for value in each)
    if len(values) > _LONGEST_TUPLE or not flat:
        raise Refused(f"a tuple of {len(values)} objects is longer or deeper than tensors need")
    machine.push(tuple(values))


def _short_tuple(count):
    def run(machine):
        _push_tuple(machine, [machine.pop() for _ in range(count)][::-1])

    return run


def _set_item(machine):
    value, key = machine.pop(), machine.pop()
    rebuild.put(machine.top(dict), key, value)


def _set_items(machine):
    values = machine.above_mark()
    if len(values) % 2:
        raise Refused("a dict has a key without a value")
    for key, value in zip(values[::2], values[1::2], strict=True):
        rebuild.put(machine.top(dict), key, value)


def _append(machine):
    value = machine.pop()
    machine.top(list).append(value)


def _extend(machine):
    values = machine.above_mark()
    machine.top(list).extend(values)


def _reduce(machine):
    arguments, call = machine.pop(), machine.pop()
    machine.push(rebuild.called(call, arguments))


def _build(machine):
    """The versions of layers, which PyTorch keeps beside a state_dict; they are dropped."""
    state = machine.pop()
    if type(machine.top()) is not OrderedDict or type(state) is not dict or set(state) != {"_metadata"}:
        raise Refused("it sets the attributes of an object (BUILD)")


def _constant(value):
    return lambda machine: machine.push(value)


def _number(form):
    return lambda machine: machine.push(machine.cursor.number(form))


def _text(form, encoding="utf-8"):
    return lambda machine: machine.push(machine.cursor.text(machine.cursor.number(form), encoding))


_STOP = ord(".")
_OPCODES = {
    0x80: _protocol,
    ord("("): _Machine.mark,
    ord("N"): _constant(None),
    0x88: _constant(True),
    0x89: _constant(False),
    ord("K"): _number("B"),
    ord("M"): _number("H"),
    ord("J"): _number("i"),
    0x8A: _long,
    ord("G"): _float,
    ord("X"): _text("I"),
    ord("U"): _text("B", "ascii"),  # Python 2
    ord("T"): _text("I", "ascii"),  # Python 2
    ord(")"): _constant(()),
    0x85: _short_tuple(1),
    0x86: _short_tuple(2),
    0x87: _short_tuple(3),
    ord("t"): lambda machine: _push_tuple(machine, machine.above_mark()),
    ord("]"): lambda machine: machine.push([]),
    ord("a"): _append,
    ord("e"): _extend,
    ord("}"): lambda machine: machine.push({}),
    ord("s"): _set_item,
    ord("u"): _set_items,
    ord("q"): lambda machine: machine.remember(machine.cursor.number("B")),
    ord("r"): lambda machine: machine.remember(machine.cursor.number("I")),
    ord("h"): lambda machine: machine.recall(machine.cursor.number("B")),
    ord("j"): lambda machine: machine.recall(machine.cursor.number("I")),
    ord("c"): _global,
    ord("Q"): lambda machine: machine.push(rebuild.storage(machine.pop(), machine.storages)),
    ord("R"): _reduce,
    ord("b"): _build,
}
